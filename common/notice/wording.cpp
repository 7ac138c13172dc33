// Words that play a leak down, sell something or teach people to fall for phishing; links and numbers.
#include "check.hpp"
#include "markdown.hpp"
#include "rules.hpp"
#include "slots.hpp"
#include "text_facts.hpp"
#include "utf8.hpp"
#include "verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace semel::notice {
namespace {

std::size_t find_word(std::string_view text, std::initializer_list<std::string_view> words) {
    auto first = std::string_view::npos;
    for (const auto word : words) {
        first = std::min(first, text.find(word));
    }
    return first;
}

bool stands_in(std::string_view text, const std::vector<std::string>& words) {
    return std::ranges::any_of(words, [&](const std::string& word) { return text.contains(word); });
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

class text_checker {
  public:
    text_checker(const notice_source& source, const std::string& locale, base::channel channel,
                 std::vector<problem>& problems, const std::string& file, flat_text flat)
        : source_(source)
        , language_(language_of(locale))
        , channel_(channel)
        , out_(problems, file)
        , flat_(std::move(flat))
        , low_(lower_ascii(flat_.text)) {}

    void run(bool is_title) {
        for (const auto& rule : built_in_rules().instead) {
            instead(rule);
        }
        for (const auto& rule : built_in_rules().avoid) {
            avoid(rule);
        }
        numbers();
        links();
        if (!is_title) {
            follow_up();
        }
        const auto is_somebodys = [&](const std::string& slot) { return !stands_for_code(source_, slot); };
        if (channel_ == base::channel::push && std::ranges::any_of(flat_.slots, is_somebodys)) {
            out_.warn(1, "AP-8", "a slot's value would show on the lock screen", "leave personal data out of a push");
        }
    }

  private:
    int line(std::size_t at) const { return flat_.line_at(std::min(at, flat_.text.size())); }

    void instead(const word_instead& rule) {
        if (rule.language != language_ || stands_in(low_, rule.beside)) {
            return;
        }
        auto text = low_;
        for (const auto& term : rule.except) {
            for (auto at = text.find(term); at != text.npos; at = text.find(term, at)) {
                text.replace(at, term.size(), term.size(), '_');
            }
        }
        for (const auto& word : rule.any) {
            if (const auto at = text.find(word); at != text.npos) {
                out_.say(severity::finding, line(at), rule.id, rule.law, rule.reason, rule.mend);
                return;
            }
        }
    }

    void avoid(const words_to_avoid& rule) {
        const bool of_this_kind = rule.kinds.empty() || std::ranges::find(rule.kinds, source_.kind) != rule.kinds.end();
        if (!of_this_kind || (!rule.language.empty() && rule.language != language_)) {
            return;
        }
        for (const auto& word : rule.any) {
            if (const auto at = first_of(word, rule.unless_denied); at != low_.npos) {
                out_.say(rule.how_bad, line(at), rule.id, rule.law, fmt::format("\"{}\" {}", word, rule.reason),
                         rule.mend);
            }
        }
    }

    std::size_t first_of(std::string_view word, bool unless_denied) const {
        if (!unless_denied) {
            return low_.find(word);
        }
        for (const auto& s : sentences_in(low_)) {
            const auto at = s.text.find(word);
            if (at != s.text.npos && !says_any(s.text, built_in_rules().negations, language_)) {
                return s.at + at;
            }
        }
        return low_.npos;
    }

    void numbers() {
        std::set<std::string> registered{digits_of(source_.contact.phone), digits_of(source_.sender.sms)};
        for (const auto& n : source_.contact.numbers) {
            registered.insert(digits_of(n));
        }
        for (const auto& n : phones_in(low_)) {
            if (!registered.contains(digits_of(n.text))) {
                out_.error(line(n.at), "AP-2", "the text names a phone number that is not registered in notice.yaml",
                           "add it to contact.numbers after checking it, or remove it");
            }
        }
    }

    void links() {
        if (channel_ == base::channel::sms) {
            if (const auto at = find_word(low_, {"http:", "https:", "www.", ".com/", ".kr/", ".net/", ".org/"});
                at != low_.npos) {
                out_.error(line(at), "AP-1", "there is a link in an SMS, and people are told not to touch such links",
                           "say: open our app, or type our address yourself");
            }
        }
        for (const auto& l : links_in(flat_.text)) {
            check_link(l, flat_.lines.empty()
                              ? 1
                              : flat_.lines[std::min(flat_.lines.size(), static_cast<std::size_t>(l.line)) - 1]);
        }
    }

    void check_link(const link& l, int at) {
        const auto url = lower_ascii(l.url);
        if (url.starts_with("mailto:") || url.starts_with("tel:")) {
            return;
        }
        if (!url.starts_with("https://")) {
            out_.error(at, "AP-1", "a link is not https", "write the https address");
            return;
        }
        const auto host = url.substr(8, url.find_first_of("/:?#", 8) - 8);
        const bool numeric = std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
        if (numeric || host.starts_with('[') || host.contains("xn--") || host.contains('@') || host.contains('%')) {
            out_.error(at, "AP-1", "a link leads to a disguised address (a number, punycode or a user name)",
                       "link to a name of your own that people can read");
            return;
        }
        const auto domain = lower_ascii(source_.sender.email.substr(source_.sender.email.find('@') + 1));
        if (!domain.empty() && host != domain && !host.ends_with("." + domain) && !domain.ends_with("." + host)) {
            out_.warn(at, "AP-1", "a link leads outside the sender's own domain",
                      "link to your own site, where the rest stands");
        }
    }

    void follow_up() {
        if (source_.kind != kind::follow_up) {
            return;
        }
        const auto& rule = built_in_rules().say.at("KR-W3");
        const auto known = rule.groups.find(language_);
        if (known == rule.groups.end()) {
            out_.warn(1, "KR-W3",
                      "Semel cannot read in this language whether the follow-up says that it is not a new incident",
                      "have somebody who reads it check");
        } else if (!unsaid(low_, known->second).empty()) {
            out_.say(severity::finding, 1, "KR-W3", rule.law, "a follow-up must say that it is about no new incident",
                     rule.mend_in(language_));
        }
    }

    const notice_source& source_;
    std::string_view language_;
    base::channel channel_;
    complaints out_;
    flat_text flat_;
    std::string low_;
};

/// Whoever gets a notice should be able to ask whether it is genuine, in whatever language and over whatever channel it
/// came. A push is short and opens the app, which people know.
void want_code(const notice_source& source, std::vector<problem>& problems) {
    constexpr auto law = "advice against phishing";
    constexpr auto mend =
        "write {{verification}}, where your api serves the page that knows it (verify: in semel.yaml)";
    if (source.kind != kind::breach && source.kind != kind::follow_up) {
        return;
    }
    std::set<base::channel> with_code;
    for (const auto& [key, text] : source.texts) {
        if (shows_code(source, key.first, key.second)) {
            with_code.insert(key.second);
        }
    }
    if (with_code.empty() && !source.texts.empty()) {
        complaints{problems, "notice.yaml"}.say(severity::warning, 1, "AP-10", law,
                                                "no text has the code by which people find out that it is genuine",
                                                mend);
    }
    for (const auto& [key, text] : source.texts) {
        if (with_code.contains(key.second) && !shows_code(source, key.first, key.second)) {
            complaints{problems, text.file}.say(
                severity::warning, 1, "AP-10", law,
                "the code by which people find out that it is genuine stands in another language's text alone", mend);
        }
    }
}

} // namespace

void check_wording(const notice_source& source, std::vector<problem>& problems) {
    const segment_set every{source.segments.begin(), source.segments.end()};
    for (const auto& [locale, title] : source.title) {
        auto flat = flatten(title, {});
        flat.lines.assign(1, source.title_line.at(locale));
        text_checker{source, locale, base::channel::email, problems, "notice.yaml", std::move(flat)}.run(true);
    }
    for (const auto& [key, text] : source.texts) {
        if (key.second == base::channel::push) {
            text_checker{source, key.first, key.second, problems, text.file, flatten(text.title, every)}.run(true);
        }
        text_checker{source, key.first, key.second, problems, text.file, flatten(text.body, every)}.run(false);
    }
    want_code(source, problems);
}

} // namespace semel::notice
