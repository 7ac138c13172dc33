#include "sender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace semel::cli {

namespace {

using kind = sender_finding::kind;

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(' ');
        if (begin == text.npos) {
            break;
        }
        const auto end = text.find(' ', begin);
        out.push_back(lower(text.substr(begin, end - begin)));
        text.remove_prefix(end == text.npos ? text.size() : end);
    }
    return out;
}

/// The same domain, or one below the other: what DMARC's relaxed mode asks, as far as it can be told without the list
/// of public suffixes.
bool related(std::string_view a, std::string_view b) {
    const auto below = [](std::string_view low, std::string_view high) {
        return low.size() > high.size() && low.ends_with(high) && low[low.size() - high.size() - 1] == '.';
    };
    return a == b || below(a, b) || below(b, a);
}

class sender_judge {
  public:
    sender_judge(const sender_to_check& sender, const txt_lookup& look)
        : sender_(sender)
        , look_(look) {}

    std::vector<sender_finding> run() {
        spf();
        dkim();
        dmarc();
        return std::move(out_);
    }

  private:
    void say(kind what, std::string about, std::string words, std::string mend = {}) {
        out_.push_back({what, std::move(about), std::move(words), std::move(mend)});
    }

    /// Those that begin with the mark; nothing (and a finding) when DNS did not answer.
    std::optional<std::vector<std::string>> records(const std::string& about, const std::string& name,
                                                    std::string_view mark) {
        auto all = look_(name);
        if (!all) {
            say(kind::no_answer, about, all.error().why(), "try again, or ask whoever runs this machine's resolver");
            return std::nullopt;
        }
        std::erase_if(*all, [&](const std::string& one) { return !lower(one).starts_with(mark); });
        return *all;
    }

    void spf() {
        const auto& domain = sender_.return_path_domain;
        const auto found = records("SPF", domain, "v=spf1");
        if (!found) {
            return;
        }
        if (found->size() != 1) {
            say(kind::wrong, "SPF",
                found->empty() ? fmt::format("{}, the domain of the return path, has no SPF record", domain)
                               : fmt::format("{} has {} SPF records, so receivers use none", domain, found->size()),
                "publish one TXT record that names the relay's addresses and ends in -all");
            return;
        }
        const auto terms = words_of(found->front());
        constexpr std::size_t most_lookups = 10; // RFC 7208 section 4.6.4
        const auto lookups = std::ranges::count_if(terms, [](const std::string& t) {
            std::string_view bare = t;
            bare.remove_prefix(std::min(bare.size(), bare.find_first_not_of("+-~?")));
            return bare.starts_with("include:") || bare.starts_with("redirect=") || bare.starts_with("exists:") ||
                   bare == "a" || bare.starts_with("a:") || bare.starts_with("a/") || bare == "mx" ||
                   bare.starts_with("mx:") || bare.starts_with("mx/") || bare.starts_with("ptr");
        });
        const auto ends = [&](std::string_view all) { return std::ranges::find(terms, all) != terms.end(); };
        if (static_cast<std::size_t>(lookups) > most_lookups) {
            say(kind::wrong, "SPF",
                fmt::format("{}'s record needs more than {} look-ups, so it fails", domain, most_lookups),
                "name addresses (ip4:, ip6:) in place of some of its include:, a and mx");
        } else if (ends("+all") || ends("all")) {
            say(kind::wrong, "SPF", fmt::format("{} lets every machine send in its name", domain), "end it in -all");
        } else if (ends("-all") || ends("~all") ||
                   std::ranges::any_of(terms, [](const std::string& t) { return t.starts_with("redirect="); })) {
            say(kind::good, "SPF",
                fmt::format("{}: {}; check that it names the relay's addresses", domain, found->front()));
        } else {
            say(kind::unsure, "SPF", fmt::format("{}'s record says nothing of other machines", domain),
                "end it in -all");
        }
    }

    void dkim() {
        if (sender_.keys.empty()) {
            say(kind::unsure, "DKIM", "semel.yaml has no key, so Semel signs nothing",
                "see that the relay signs as the sender's domain, or give the gateway `dkim`");
        }
        for (const auto& key : sender_.keys) {
            const auto found = records("DKIM", key.name, "");
            if (!found) {
                continue;
            }
            const auto same = std::ranges::any_of(*found, [&](const std::string& one) {
                return tag_of(one, "p") == tag_of(key.record, "p") && !tag_of(one, "p").empty();
            });
            if (!same) {
                say(kind::wrong, "DKIM",
                    found->empty() ? fmt::format("{} has no record, so receivers cannot check our signature", key.name)
                                   : fmt::format("{} has another key than semel.yaml", key.name),
                    fmt::format("publish there: {}", key.record));
            } else if (!related(key.domain, sender_.from_domain)) {
                say(kind::wrong, "DKIM",
                    fmt::format("the signature is {}'s, and the message is from {}: DMARC does not count it",
                                key.domain, sender_.from_domain),
                    "sign as the sender's domain");
            } else {
                say(kind::good, "DKIM", fmt::format("{} has the key that semel.yaml signs with", key.name));
            }
        }
    }

    // The domain's own record, else that of the nearest domain above it.
    void dmarc() {
        std::string domain = sender_.from_domain;
        while (true) {
            const auto found = records("DMARC", "_dmarc." + domain, "v=dmarc1");
            if (!found) {
                return;
            }
            if (!found->empty()) {
                dmarc_record(domain, *found);
                return;
            }
            const auto dot = domain.find('.');
            if (dot == domain.npos || domain.find('.', dot + 1) == domain.npos) {
                break;
            }
            domain.erase(0, dot + 1);
        }
        say(kind::wrong, "DMARC",
            fmt::format("{} has no DMARC record; Gmail, Yahoo and Outlook.com turn bulk mail without one away",
                        sender_.from_domain),
            fmt::format("publish v=DMARC1; p=quarantine at _dmarc.{}", sender_.from_domain));
    }

    void dmarc_record(const std::string& domain, const std::vector<std::string>& found) {
        const auto& record = found.front();
        const bool inherited = domain != sender_.from_domain;
        const auto below = inherited ? tag_of(record, "sp") : std::string{};
        const auto policy = lower(below.empty() ? tag_of(record, "p") : below);
        if (found.size() != 1 || (policy != "none" && policy != "quarantine" && policy != "reject")) {
            say(kind::wrong, "DMARC", fmt::format("_dmarc.{} has no record that receivers can use", domain),
                "publish one: v=DMARC1; p=quarantine");
            return;
        }
        if (policy == "none") {
            say(kind::unsure, "DMARC", fmt::format("{} asks receivers to let forged mail pass (p=none)", domain),
                "raise it to p=quarantine before people get notices that others will imitate");
        } else {
            say(kind::good, "DMARC", fmt::format("{}: p={}", domain, policy));
        }
        const bool strict_spf = lower(tag_of(record, "aspf")) == "s",
                   strict_dkim = lower(tag_of(record, "adkim")) == "s";
        const auto aligned = [&](const std::string& other, bool strict) {
            return strict ? other == sender_.from_domain : related(other, sender_.from_domain);
        };
        const bool by_dkim = std::ranges::any_of(
            sender_.keys, [&](const expected_key& key) { return aligned(key.domain, strict_dkim); });
        if (!by_dkim && !aligned(sender_.return_path_domain, strict_spf)) {
            say(sender_.keys.empty() ? kind::unsure : kind::wrong, "DMARC",
                fmt::format("neither the return path ({}) nor a signature of ours is {}'s", sender_.return_path_domain,
                            sender_.from_domain),
                "let the relay or Semel sign as the sender's domain, or put the return path under it");
        }
    }

    const sender_to_check& sender_;
    const txt_lookup& look_;
    std::vector<sender_finding> out_;
};

} // namespace

std::string_view to_string(kind k) noexcept {
    switch (k) {
    case kind::good:
        return "good";
    case kind::unsure:
        return "unsure";
    case kind::wrong:
        return "wrong";
    case kind::no_answer:
        break;
    }
    return "no answer";
}

std::vector<sender_finding> judge_sender(const sender_to_check& sender, const txt_lookup& look) {
    return sender_judge{sender, look}.run();
}

std::string tag_of(std::string_view record, std::string_view tag) {
    while (!record.empty()) {
        const auto end = record.find(';');
        std::string one;
        std::ranges::copy_if(record.substr(0, end), std::back_inserter(one),
                             [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
        if (const auto equals = one.find('='); equals != one.npos && one.substr(0, equals) == tag) {
            return one.substr(equals + 1);
        }
        record.remove_prefix(end == record.npos ? record.size() : end + 1);
    }
    return {};
}

int exit_code_of(const std::vector<sender_finding>& all) noexcept {
    const auto has = [&](kind k) { return std::ranges::find(all, k, &sender_finding::what) != all.end(); };
    return has(kind::wrong) ? 1 : has(kind::no_answer) ? 3 : 0;
}

} // namespace semel::cli
