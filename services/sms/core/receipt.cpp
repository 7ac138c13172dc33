#include "receipt.hpp"

#include <base/bytes.hpp>

#include <correlation/message_id.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <span>
#include <utility>

namespace semel::sms {

namespace {

using spelling = std::pair<std::string_view, message_state>;

constexpr std::array<spelling, 10> spellings{{
    {"ENROUTE", message_state::enroute},
    {"DELIVRD", message_state::delivered},
    {"EXPIRED", message_state::expired},
    {"DELETED", message_state::deleted},
    {"UNDELIV", message_state::undeliverable},
    {"ACCEPTD", message_state::accepted},
    {"UNKNOWN", message_state::unknown},
    {"REJECTD", message_state::rejected},
    {"SCHEDLD", message_state::scheduled},
    {"SKIPPED", message_state::skipped},
}};

/// Words that vendors document, letters and digits only.
constexpr auto vendors = std::to_array<spelling>({
    {"DELIVERD", message_state::delivered},    {"DELIVRED", message_state::delivered},
    {"DELIVERED", message_state::delivered},   {"DELIVERYSUCCESS", message_state::delivered},
    {"SEEN", message_state::delivered},        {"READ", message_state::delivered},
    {"DISPLAYED", message_state::delivered},   {"BUFFRED", message_state::enroute},
    {"BUFFERED", message_state::enroute},      {"BUFFERD", message_state::enroute},
    {"QUEUED", message_state::enroute},        {"PENDING", message_state::enroute},
    {"RETRY", message_state::enroute},         {"SENT", message_state::enroute},
    {"SUBMITD", message_state::enroute},       {"SUBMITTED", message_state::enroute},
    {"ACK", message_state::accepted},          {"ACKED", message_state::accepted},
    {"FAILED", message_state::undeliverable},  {"FAIL", message_state::undeliverable},
    {"FAILURE", message_state::undeliverable}, {"ERROR", message_state::undeliverable},
    {"SYSERR", message_state::undeliverable},  {"SYSERROR", message_state::undeliverable},
    {"NOROUTE", message_state::undeliverable}, {"ABSENT", message_state::undeliverable},
    {"BARRED", message_state::rejected},       {"BARREDA", message_state::rejected},
    {"BLOCKED", message_state::rejected},      {"BLACKLST", message_state::rejected},
    {"BLACKLISTED", message_state::rejected},  {"DND", message_state::rejected},
    {"NOCRED", message_state::rejected},       {"NOCREDIT", message_state::rejected},
    {"ZEROBAL", message_state::rejected},      {"INVALID", message_state::rejected},
    {"SPAM", message_state::rejected},         {"NACK", message_state::rejected},
    {"CANCELED", message_state::deleted},      {"CANCELLED", message_state::deleted},
    {"TIMEOUT", message_state::expired},       {"NULL", message_state::unknown},
});

std::string upper(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

bool continues_a_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

constexpr std::string_view blanks{" \r\n\t\0", 5};

/// What stands behind a key's colon. Quotes go; a comma or a semicolon ends it as a blank does.
std::optional<std::string_view> value_at(std::string_view text, std::size_t colon) {
    const auto start = text.find_first_not_of(blanks, colon + 1);
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    if (const char quote = text[start]; quote == '"' || quote == '\'') {
        const auto end = text.find(quote, start + 1);
        return text.substr(start + 1, end == std::string_view::npos ? end : end - start - 1);
    }
    constexpr std::string_view ends{" \r\n\t\0,;\"", 8};
    const auto end = text.find_first_of(ends, start);
    const auto word = text.substr(start, end == std::string_view::npos ? end : end - start);
    if (word.empty() || word.contains(':')) {
        return std::nullopt; // the value is missing, this is the next field
    }
    return word;
}

/// The value of the first of these keys. A key must not be the end of a longer word ("err" in "ferr").
std::optional<std::string_view> field(std::string_view text, const std::string& shouted,
                                      std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        for (auto at = shouted.find(key); at != std::string::npos; at = shouted.find(key, at + key.size())) {
            if (at != 0 && continues_a_word(shouted[at - 1])) {
                continue;
            }
            const auto colon = text.find_first_not_of(" \"'", at + key.size());
            if (colon != std::string_view::npos && (text[colon] == ':' || text[colon] == '=')) {
                return value_at(text, colon);
            }
        }
    }
    return std::nullopt;
}

/// Latin letters of a text in UCS-2, and what follows a user data header.
std::string readable(const message& m) {
    std::string text{m.text()};
    if ((m.esm_class & 0x40) != 0 && !text.empty()) {
        text.erase(0, std::size_t{static_cast<unsigned char>(text.front())} + 1);
    }
    std::string narrow;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        if (text[i] != '\0') {
            return text;
        }
        narrow += text[i + 1];
    }
    return narrow.empty() || text.size() % 2 != 0 ? text : narrow;
}

std::optional<message_state> state_in_tlv(const message& m) {
    const auto* state = m.find(tag::message_state);
    if (state == nullptr || state->size() != 1 || static_cast<std::uint8_t>(state->front()) > 9) {
        return std::nullopt;
    }
    return static_cast<message_state>(state->front());
}

} // namespace

std::string_view to_string(message_state s) noexcept {
    const auto* found = std::ranges::find(spellings, s, &spelling::second);
    return found == spellings.end() ? "UNKNOWN" : found->first;
}

message_state state_named(std::string_view word) {
    auto seen = upper(word);
    std::erase_if(seen, [](unsigned char c) { return std::isalnum(c) == 0; });
    if (seen.size() == 1 && std::isdigit(static_cast<unsigned char>(seen[0])) != 0) {
        return static_cast<message_state>(seen[0] - '0');
    }
    for (const auto table : {std::span<const spelling>{spellings}, std::span<const spelling>{vendors}}) {
        if (const auto found = std::ranges::find(table, seen, &spelling::first); found != table.end()) {
            return found->second;
        }
    }
    // A word that speaks of a failure must not be taken for "delivered" because it begins so.
    for (const auto failure : {"FAIL", "UNDEL", "NOTDEL", "NONDEL"}) {
        if (seen.contains(failure)) {
            return message_state::undeliverable;
        }
    }
    for (const auto& [whole, state] : spellings) {
        if (seen.starts_with(whole.substr(0, 5))) { // cut off, or written out; five letters tell all of them apart
            return state;
        }
    }
    return message_state::unknown;
}

bool is_receipt(const message& m) noexcept {
    // Bits 2-5: 0x04 delivery receipt, 0x20 intermediate notification; 0x08 and 0x10 are acknowledgements by the
    // handset.
    const auto type = m.esm_class & 0x3C;
    return type == 0x04 || (type & 0x20) != 0 || (type == 0 && m.find(tag::receipted_message_id) != nullptr);
}

std::optional<receipt> parse_receipt_text(std::string_view text) {
    // What follows "text:" is the message itself and may hold anything, "id:" included.
    const auto shouted_all = upper(text);
    auto end = shouted_all.find("TEXT:");
    while (end != std::string::npos && end != 0 &&
           std::isalnum(static_cast<unsigned char>(shouted_all[end - 1])) != 0) {
        end = shouted_all.find("TEXT:", end + 1);
    }
    text = text.substr(0, end);
    const auto shouted = shouted_all.substr(0, end);
    const auto id = correlation::trimmed_id(
        field(text, shouted, {"ID", "MESSAGE_ID", "MESSAGEID", "MSG_ID", "MSGID"}).value_or(""));
    if (id.empty() || id.size() > 64) {
        return std::nullopt;
    }
    receipt out;
    out.message_id = base::to_printable(id);
    if (const auto stat = field(text, shouted, {"STAT", "STATUS", "STATE"})) {
        const auto word = stat->substr(0, stat->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                  "abcdefghijklmnopqrstuvwxyz0123456789_-"));
        out.state = state_named(word);
        out.word = word.substr(0, 32);
    }
    if (const auto err = field(text, shouted, {"ERR", "ERROR", "ERR_CODE", "ERRCODE", "ERROR_CODE"})) {
        out.error = base::to_printable(err->substr(0, 16));
    }
    return out;
}

std::optional<receipt> read_receipt(const message& m) {
    auto out = parse_receipt_text(readable(m));
    if (const auto* id = m.find(tag::receipted_message_id)) {
        const auto named = correlation::trimmed_id(std::string_view{*id}.substr(0, id->find('\0')));
        if (!named.empty() && named.size() <= 64) {
            if (!out) {
                out.emplace();
            }
            out->message_id = base::to_printable(named);
        }
    }
    if (!out) {
        return out;
    }
    // A TLV that says "unknown" takes nothing back that the text knows.
    if (const auto state = state_in_tlv(m); state && (*state != message_state::unknown || out->word.empty())) {
        if (*state != out->state) {
            out->word.clear();
        }
        out->state = *state;
    }
    if (const auto* code = m.find(tag::network_error_code);
        code != nullptr && code->size() == 3 && out->error.empty()) {
        const auto octet = [&](std::size_t i) { return static_cast<unsigned>(static_cast<std::uint8_t>((*code)[i])); };
        out->error = fmt::format("{}/{}", octet(0), octet(1) << 8U | octet(2));
    }
    return out;
}

} // namespace semel::sms
