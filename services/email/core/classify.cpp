#include <email/core/classify.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace semel::email {

namespace {

using kind = delivery::verdict::kind;
using namespace std::chrono_literals;

constexpr auto busy_pause = 10s;
constexpr auto rate_pause = 30s; // 4.7.x: we are too fast for its policy

struct ruling {
    kind what;
    std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
    delivery::verdict::reach concerns = delivery::verdict::reach::lane;
};

ruling temporary(stage where, const reply& r) {
    if (r.code == 421) {
        return {kind::throttled, busy_pause, delivery::verdict::reach::session}; // the server closes this one
    }
    if (r.status) {
        const auto& s = *r.status;
        const bool system_or_congestion = (s.subject == 3 && s.detail == 2) || (s.subject == 4 && s.detail == 5);
        // A 4.7.x to RCPT is usually greylisting of this one pair; anywhere else it is about us.
        const bool policy = s.subject == 7 && (where != stage::rcpt || s.detail == 28);
        if (system_or_congestion || policy) {
            return {kind::throttled, policy ? rate_pause : busy_pause};
        }
    }
    return {kind::transient};
}

/// 5yz with an enhanced status, to RCPT, DATA or the dot. What does not speak of one mailbox alone may be the
/// recipient's fault or ours: servers answer "5.7.1 Access denied" for either.
kind by_status(const enhanced_status& s, stage where) {
    switch (s.subject) {
    case 1: // addressing: 5.1.7 and 5.1.8 speak of the sender's
        return s.detail == 7 || s.detail == 8 ? kind::ambiguous : kind::permanent;
    case 2: // mailbox: a full one may be emptied
        return s.detail == 2 ? kind::transient : kind::permanent;
    case 5: // protocol: 5.5.0 is what Outlook uses for unknown mailboxes
        return s.detail == 0 && where == stage::rcpt ? kind::permanent : kind::ambiguous;
    case 6: // content: the same for all, except the forms that only an internationalised address needs
        return s.detail == 7 || s.detail == 9 || s.detail == 10 || where == stage::rcpt ? kind::permanent
                                                                                        : kind::ambiguous;
    case 7: { // policy: except what speaks of one mailbox or list
        constexpr std::array personal{2, 13, 17, 129};
        return std::ranges::find(personal, s.detail) != personal.end() ? kind::permanent : kind::ambiguous;
    }
    case 3: // mail system: its own trouble, or one mailbox's transport
        return kind::ambiguous;
    default: // 5.0.0, routing (5.4.x)
        return where == stage::rcpt ? kind::permanent : kind::ambiguous;
    }
}

kind by_code(int code, stage where) {
    switch (code) {
    case 552: // too many recipients (RFC 5321 section 4.5.3.1.10); at the dot, storage or size
        return kind::transient;
    case 550:
    case 551:
    case 553:
    case 521: // the host accepts no mail (RFC 7504)
    case 556: // nor does the domain
        return where == stage::rcpt ? kind::permanent : kind::ambiguous;
    default: // 554, and 500-504 syntax, 530-538 authentication, 555 parameters: some say it of one mailbox
        return kind::ambiguous;
    }
}

/// To MAIL, which names the sender and us; but its size and its parameters are one message's.
kind of_sender(const reply& r) {
    const bool of_message = r.status ? (r.status->subject == 2 || r.status->subject == 5 || r.status->subject == 6 ||
                                        (r.status->subject == 3 && r.status->detail == 4))
                                     : (r.code == 501 || r.code == 552 || r.code == 555);
    return of_message ? kind::ambiguous : kind::lane_stop;
}

ruling judge(stage where, const reply& r) {
    if (where == stage::dot && r.positive()) {
        return {kind::accepted};
    }
    if (r.temporary()) {
        return temporary(where, r);
    }
    if (!r.refused()) {
        // Not an answer to the question asked. Before the dot it is certain that nothing was accepted.
        return {where == stage::dot ? kind::unknown : kind::transient};
    }
    if (where == stage::mail && r.status && r.status->subject == 6 && r.status->detail == 7) {
        return {kind::permanent}; // 5.6.7: this address needs SMTPUTF8
    }
    if (where == stage::mail) {
        return {of_sender(r)};
    }
    if (where != stage::rcpt && where != stage::data && where != stage::dot) {
        return {kind::lane_stop};
    }
    if (r.status) {
        return {by_status(*r.status, where)};
    }
    return {by_code(r.code, where)};
}

bool address_character(char c) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x80 || std::isalnum(u) != 0 || std::string_view{".!#$%&'*+-/=?^_`{|}~"}.contains(c);
}

bool same_letter(char a, char b) noexcept {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Replaces each occurrence that is not part of a longer word.
void replace_word(std::string& text, std::string_view word) {
    constexpr std::string_view mark = "<address>";
    for (std::size_t from = 0; from < text.size();) {
        const auto hit = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(),
                                     word.end(), same_letter);
        if (hit == text.end()) {
            return;
        }
        const auto at = static_cast<std::size_t>(hit - text.begin());
        const auto end = at + word.size();
        const auto bounds = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; };
        if ((at == 0 || bounds(text[at - 1])) && (end == text.size() || bounds(text[end]))) {
            text.replace(at, word.size(), mark);
            from = at + mark.size();
        } else {
            from = at + 1;
        }
    }
}

} // namespace

std::string_view to_string(stage s) noexcept {
    switch (s) {
    case stage::greeting:
        return "greeting";
    case stage::ehlo:
        return "EHLO";
    case stage::starttls:
        return "STARTTLS";
    case stage::auth:
        return "AUTH";
    case stage::mail:
        return "MAIL";
    case stage::rcpt:
        return "RCPT";
    case stage::data:
        return "DATA";
    case stage::dot:
        return "the final dot";
    }
    return "";
}

std::string scrubbed(std::string_view text, std::string_view recipient) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        // user@host, with whatever angle brackets stand around it, becomes one mark.
        if (text[i] == '@') {
            while (!out.empty() && address_character(out.back())) {
                out.pop_back();
            }
            if (!out.empty() && out.back() == '"') { // a quoted local part
                const auto open = out.rfind('"', out.size() - 2);
                out.resize(open == std::string::npos ? 0 : open);
            }
            if (!out.empty() && out.back() == '<') {
                out.pop_back();
            }
            ++i;
            while (i < text.size() &&
                   (address_character(text[i]) || text[i] == '[' || text[i] == ']' || text[i] == ':')) {
                ++i;
            }
            if (i < text.size() && text[i] == '>') {
                ++i;
            }
            out += "<address>";
            continue;
        }
        out += text[i++];
    }
    const auto local = recipient.substr(0, recipient.rfind('@'));
    if (local.size() >= 3) {
        replace_word(out, local);
    }
    constexpr std::size_t longest = 200;
    if (out.size() > longest) {
        out.resize(longest);
    }
    std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return out;
}

std::string queue_id(const reply& r) {
    const std::string text = r.text();
    const auto word_at = [&](std::size_t from) {
        auto end = from;
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-' ||
                                     text[end] == '_' || text[end] == '.')) {
            ++end;
        }
        return text.substr(from, std::min<std::size_t>(end - from, 128));
    };
    for (const std::string_view lead : {"queued as ", " id=", "queued mail for delivery id "}) {
        if (const auto at = text.find(lead); at != std::string::npos) {
            return word_at(at + lead.size());
        }
    }
    if (text.find(" Message accepted") != std::string::npos) {
        return word_at(0);
    }
    return {};
}

delivery::verdict classify(stage where, const reply& r, std::string_view recipient) {
    const auto [what, retry_after, concerns] = judge(where, r);
    delivery::verdict out;
    out.what = what;
    out.code = r.short_code();
    out.text = scrubbed(r.text(), recipient);
    if (what != kind::accepted) {
        out.text = std::string{to_string(where)} + ": " + out.text;
    } else {
        out.message_id = queue_id(r);
    }
    out.retry_after = retry_after;
    out.concerns = concerns;
    return out;
}

} // namespace semel::email
