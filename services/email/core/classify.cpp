#include <email/core/classify.hpp>
#include <email/core/outcomes.hpp>

#include <algorithm>
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
    switch (r.status ? row_of(r.status->subject, r.status->detail).temporary : soft::again) {
    case soft::busy:
        return {kind::throttled, busy_pause};
    case soft::rate:
        return {kind::throttled, rate_pause};
    case soft::rate_but_rcpt:
        return where == stage::rcpt ? ruling{kind::transient} : ruling{kind::throttled, rate_pause};
    case soft::again:
        break;
    }
    return {kind::transient};
}

template <class Row>
kind at(const Row& row, stage where) {
    return where == stage::mail ? row.mail : where == stage::rcpt ? row.rcpt : row.content;
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
    if (where != stage::mail && where != stage::rcpt && where != stage::data && where != stage::dot) {
        return {kind::lane_stop}; // no recipient was named yet
    }
    return {r.status ? at(row_of(r.status->subject, r.status->detail), where) : at(row_of(r.code), where)};
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

const status_row& row_of(int subject, int detail) noexcept {
    const auto is = [&](int s, int d) {
        return std::ranges::find_if(status_rows, [=](const status_row& r) { return r.subject == s && r.detail == d; });
    };
    for (const auto* found : {is(subject, detail), is(subject, any_detail)}) {
        if (found != status_rows.end()) {
            return *found;
        }
    }
    return status_rows.back();
}

const code_row& row_of(int code) noexcept {
    const auto* found = std::ranges::find(code_rows, code, &code_row::code);
    return found == code_rows.end() ? code_rows.back() : *found;
}

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
