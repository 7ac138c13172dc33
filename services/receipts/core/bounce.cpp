#include "bounce.hpp"

#include "bounce_words.hpp"
#include "mime.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace semel::receipts {

namespace {

using kind = bounce::kind;

constexpr std::size_t most_recipients = 100;
constexpr std::size_t longest_words = 500;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Up to three digits.
std::string_view digits_at(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && end - at < 4 && is_digit(text[end])) {
        ++end;
    }
    return end - at < 4 ? text.substr(at, end - at) : std::string_view{};
}

/// "5.1.1", and not a piece of an address on the network or of a version.
std::string enhanced_in(std::string_view text, std::string_view classes) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!classes.contains(text[i]) || (i > 0 && (is_digit(text[i - 1]) || text[i - 1] == '.'))) {
            continue;
        }
        auto at = i + 1;
        std::string out{text[i]};
        for (int part = 0; part < 2; ++part) {
            const auto digits = at < text.size() && text[at] == '.' ? digits_at(text, at + 1) : std::string_view{};
            if (digits.empty()) {
                out.clear();
                break;
            }
            out += '.';
            out += digits;
            at += digits.size() + 1;
        }
        const bool goes_on = at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1]);
        if (!out.empty() && !goes_on && !(at < text.size() && is_digit(text[at]))) {
            return out;
        }
    }
    return {};
}

/// An SMTP code where one would stand: "550 No such user", "(#550)", "550-5". Its words may say more.
std::string code_in(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> meanings{{{"421", "4.3.2"},
                                                                                      {"450", "4.2.0"},
                                                                                      {"451", "4.3.0"},
                                                                                      {"452", "4.2.2"},
                                                                                      {"550", "5.1.1"},
                                                                                      {"551", "5.1.6"},
                                                                                      {"552", "5.2.2"},
                                                                                      {"553", "5.1.3"},
                                                                                      {"554", "5.0.0"},
                                                                                      {"571", "5.7.1"}}};
    for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
        const bool starts = i == 0 || (!is_digit(text[i - 1]) && text[i - 1] != '.' && text[i - 1] != '-');
        const bool ends = i + 3 == text.size() || std::string_view{" -#:\n,)"}.contains(text[i + 3]);
        if (starts && ends) {
            const auto* found =
                std::ranges::find(meanings, text.substr(i, 3), &std::pair<std::string_view, std::string_view>::first);
            if (found != meanings.end()) {
                return std::string{found->second};
            }
        }
    }
    return {};
}

std::string words_in(std::string_view low) {
    const auto* found = std::ranges::find_if(known_words, [&](const auto& w) { return low.contains(w.words); });
    return found == known_words.end() ? std::string{} : std::string{found->status};
}

bool says_delay(std::string_view low) {
    return std::ranges::any_of(words_of_delay, [&](std::string_view words) { return low.contains(words); });
}

/// Phrases go over the ends of lines.
std::string in_one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\n';
        if (!blank || (!out.empty() && out.back() != ' ')) {
            out += blank ? ' ' : c;
        }
    }
    return out;
}

std::string cut(std::string_view text) {
    return std::string{text.substr(0, longest_words)};
}

/// "rfc822; kim@example.org" -> the address.
std::string address_in(std::string_view value) {
    if (const auto semicolon = value.find(';'); semicolon != value.npos) {
        value.remove_prefix(semicolon + 1);
    }
    const auto begin = value.find_first_not_of(" \t<");
    if (begin == value.npos) {
        return {};
    }
    value.remove_prefix(begin);
    return cut(value.substr(0, value.find_first_of(" \t>")));
}

kind by_action(std::string_view action, std::string_view status) {
    const auto word = lower(action);
    if (word.starts_with("failed") || word.starts_with("failure") || word.starts_with("fail")) {
        return kind::failed;
    }
    if (word.starts_with("delayed") || word.starts_with("deferred")) {
        return kind::delayed;
    }
    if (word.starts_with("delivered") || word.starts_with("relayed") || word.starts_with("expanded")) {
        return kind::delivered;
    }
    return status.starts_with('5')   ? kind::failed
           : status.starts_with('4') ? kind::delayed
           : status.starts_with('2') ? kind::delivered
                                     : kind::unknown;
}

/// One group of fields about a recipient; nothing when it names none.
std::optional<bounce::recipient> recipient_in(const header_fields& fields) {
    const auto final = field_of(fields, "final-recipient"), original = field_of(fields, "original-recipient");
    const auto action = field_of(fields, "action");
    if (final.empty() && original.empty() && action.empty()) {
        return std::nullopt;
    }
    bounce::recipient out;
    out.address = address_in(original.empty() ? final : original);
    const auto diagnostic = field_of(fields, "diagnostic-code");
    out.diagnostic = cut(diagnostic);
    out.status = enhanced_in(field_of(fields, "status"), "245");
    // "5.0.0" says nothing; the peer's own words may.
    if (out.status.empty() || out.status.ends_with(".0.0")) {
        if (auto better = status_in(diagnostic); !better.empty()) {
            out.status = std::move(better);
        }
    }
    out.what = by_action(action, out.status);
    return out;
}

class bounce_reader {
  public:
    explicit bounce_reader(std::string_view bytes)
        : message_(read_mime(bytes)) {}

    bounce run() {
        for (const auto& part : message_.parts) {
            look_at(part);
        }
        if (out_.what == kind::complaint) {
            return std::move(out_);
        }
        if (out_.recipients.empty()) {
            for (const auto& part : message_.parts) { // fields in a part that does not say what it is
                if (part.type.starts_with("text/") && lower(part.text).contains("final-recipient:")) {
                    status_fields(part.text);
                }
            }
        }
        if (out_.recipients.empty()) {
            letter();
        }
        for (const auto& r : out_.recipients) { // the gravest counts: failed, delayed, delivered
            const bool graver = out_.what == kind::unknown || (r.what != kind::unknown && r.what < out_.what);
            out_.what = graver ? r.what : out_.what;
        }
        return std::move(out_);
    }

  private:
    void look_at(const mime_part& part) {
        if (part.type == "message/delivery-status" || part.type == "message/global-delivery-status") {
            status_fields(part.text);
        } else if (part.type == "message/feedback-report") {
            std::string_view text = part.text;
            const auto fields = take_fields(text);
            complaint(field_of(fields, "feedback-type"), address_in(field_of(fields, "original-rcpt-to")));
        } else if (part.type == "message/rfc822" || part.type == "text/rfc822-headers" ||
                   part.type == "message/global" || part.type == "message/global-headers") {
            std::string_view text = part.text;
            returned(take_fields(text));
        }
    }

    void returned(const header_fields& fields) {
        if (out_.message_id.empty()) {
            out_.message_id = address_in(field_of(fields, "message-id"));
        }
    }

    void complaint(std::string_view type, std::string address) {
        const auto word = lower(type);
        out_.feedback_type = cut(word);
        // "not-spam" takes a complaint back; "auth-failure" is a receiver's note about forgeries.
        out_.what = word == "not-spam" || word == "auth-failure" ? kind::automatic : kind::complaint;
        out_.recipients = {{.address = std::move(address), .what = out_.what, .status = {}, .diagnostic = {}}};
    }

    /// Groups that empty lines part; the first is of the whole message. Lines that are not fields are passed over.
    void status_fields(std::string_view text) {
        while (!text.empty() && out_.recipients.size() < most_recipients) {
            const auto before = text.size();
            const auto fields = take_fields(text);
            if (text.size() == before) {
                const auto end = text.find('\n');
                text.remove_prefix(end == text.npos ? text.size() : end + 1);
                continue;
            }
            if (out_.envelope_id.empty()) {
                out_.envelope_id = cut(field_of(fields, "original-envelope-id"));
            }
            if (auto one = recipient_in(fields)) {
                out_.recipients.push_back(std::move(*one));
            }
        }
    }

    bool is_automatic() const {
        const auto field = [&](std::string_view name) { return lower(field_of(message_.fields, name)); };
        const auto subject = field("subject");
        const bool replied = field("auto-submitted").starts_with("auto-replied") &&
                             !lower(message_.type).contains("report") && !from_a_mailer();
        return replied || !field("x-autoreply").empty() || !field("x-autorespond").empty() ||
               field("precedence") == "auto_reply" || subject.starts_with("automatic reply") ||
               subject.starts_with("auto reply") || subject.starts_with("auto:") ||
               subject.starts_with("out of office") || subject.starts_with("away ");
    }

    bool from_a_mailer() const {
        const auto from = lower(field_of(message_.fields, "from"));
        return from.contains("mailer-daemon") || from.contains("postmaster") || from.contains("post_master") ||
               from.contains("mail delivery");
    }

    /// A person's answer may have any words of the table: only what a machine sent says that something failed.
    bool from_a_machine() const {
        constexpr std::array<std::string_view, 8> marks{
            "deliver", "return", "fail", "bounce", "status notification", "mail system", "not sent", "could not"};
        const auto subject = lower(field_of(message_.fields, "subject"));
        return from_a_mailer() || field_of(message_.fields, "return-path") == "<>" ||
               std::ranges::any_of(marks, [&](std::string_view mark) { return subject.contains(mark); });
    }

    /// No fields: the words of people who wrote a mail server.
    void letter() {
        if (lower(field_of(message_.fields, "subject")).starts_with("complaint about message")) { // Outlook.com's
            complaint("abuse", {});
            return;
        }
        const auto failed_at = field_of(message_.fields, "x-failed-recipients");
        if (failed_at.empty() && is_automatic()) {
            add(kind::automatic, {}, {});
            return;
        }
        if (failed_at.empty() && !from_a_machine()) {
            return;
        }
        std::string text = lower(field_of(message_.fields, "subject")) + "\n";
        for (const auto& part : message_.parts) {
            if (part.type.starts_with("text/") || part.type.starts_with("multipart/")) { // without its boundary
                text += part.text + "\n";
                break; // what follows is a copy, or the same once more
            }
        }
        const auto before = text.substr(0, copy_begins(lower(text)));
        const auto status = status_in(before);
        if (says_delay(in_one_line(lower(before)))) {
            add(kind::delayed, failed_at, status);
        } else if (!status.empty() || !failed_at.empty()) {
            add(kind::failed, failed_at, status);
        }
    }

    static std::size_t copy_begins(std::string_view low) {
        auto first = low.size();
        for (const auto words : words_before_the_copy) {
            first = std::min(first, low.find(words));
        }
        return first;
    }

    void add(kind what, std::string_view address, std::string status) {
        out_.recipients.push_back({.address = cut(address.substr(0, address.find(','))),
                                   .what = what,
                                   .status = std::move(status),
                                   .diagnostic = {}});
    }

    mime_message message_;
    bounce out_;
};

} // namespace

std::string_view to_string(kind k) noexcept {
    switch (k) {
    case kind::failed:
        return "failed";
    case kind::delayed:
        return "delayed";
    case kind::delivered:
        return "delivered";
    case kind::complaint:
        return "complaint";
    case kind::automatic:
        return "automatic";
    case kind::unknown:
        break;
    }
    return "unknown";
}

std::string status_in(std::string_view words) {
    if (auto status = enhanced_in(words, "45"); !status.empty()) {
        return status;
    }
    const auto by_words = words_in(in_one_line(lower(words)));
    auto by_code = code_in(words);
    // Words say more than a code, except those that say only that it failed.
    return by_words.empty() || (by_words == "5.0.0" && !by_code.empty()) ? by_code : by_words;
}

bounce read_bounce(std::string_view message) {
    return bounce_reader{message}.run();
}

} // namespace semel::receipts
