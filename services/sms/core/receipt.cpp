#include <base/bytes.hpp>

#include <fmt/format.h>
#include <sms/core/receipt.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace semel::sms {

namespace {

constexpr std::array<std::pair<std::string_view, message_state>, 8> spellings{{
    {"ENROUTE", message_state::enroute},
    {"DELIVRD", message_state::delivered},
    {"EXPIRED", message_state::expired},
    {"DELETED", message_state::deleted},
    {"UNDELIV", message_state::undeliverable},
    {"ACCEPTD", message_state::accepted},
    {"UNKNOWN", message_state::unknown},
    {"REJECTD", message_state::rejected},
}};

std::string upper(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

message_state state_of(std::string_view word) {
    const auto seen = upper(word);
    for (const auto& [spelling, state] : spellings) {
        // "DELIVERED" and "UNDELIVERABLE" are seen too; the first five letters tell all of them apart.
        if (std::string_view{seen}.starts_with(spelling.substr(0, 5))) {
            return state;
        }
    }
    return message_state::unknown;
}

/// The word after "key:". The key must not be the end of a longer one ("err" in "ferr").
std::optional<std::string_view> field(std::string_view text, const std::string& shouted, std::string_view key) {
    for (std::size_t from = 0;;) {
        const auto at = shouted.find(key, from);
        if (at == std::string::npos) {
            return std::nullopt;
        }
        from = at + key.size();
        if ((at != 0 && std::isalnum(static_cast<unsigned char>(shouted[at - 1])) != 0)) {
            continue;
        }
        const auto colon = text.find_first_not_of(' ', from);
        if (colon == std::string_view::npos || text[colon] != ':') {
            continue;
        }
        const auto start = text.find_first_not_of(" \r\n\t", colon + 1);
        if (start == std::string_view::npos) {
            return std::nullopt;
        }
        const auto end = text.find_first_of(" \r\n\t", start);
        const auto word = text.substr(start, end == std::string_view::npos ? end : end - start);
        if (word.contains(':')) {
            return std::nullopt; // the value is missing, this is the next field
        }
        return word;
    }
}

bool all(std::string_view text, int (*test)(int)) {
    return !text.empty() && std::ranges::all_of(text, [test](unsigned char c) { return test(c) != 0; });
}

} // namespace

std::string_view to_string(message_state s) noexcept {
    for (const auto& [spelling, state] : spellings) {
        if (state == s) {
            return spelling;
        }
    }
    return "UNKNOWN";
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
    const auto id = field(text, shouted, "ID");
    if (!id || id->size() > 64) {
        return std::nullopt;
    }
    receipt out;
    out.message_id = base::to_printable(*id);
    if (const auto stat = field(text, shouted, "STAT")) {
        out.state = state_of(*stat);
    }
    if (const auto err = field(text, shouted, "ERR")) {
        out.error = base::to_printable(err->substr(0, 16));
    }
    return out;
}

std::optional<receipt> read_receipt(const message& m) {
    auto out = parse_receipt_text(m.text());
    const auto* id = m.find(tag::receipted_message_id);
    const auto* state = m.find(tag::message_state);
    if (id != nullptr) {
        std::string_view named{*id};
        named = named.substr(0, named.find('\0'));
        if (!named.empty() && named.size() <= 64) {
            if (!out) {
                out.emplace();
            }
            out->message_id = base::to_printable(named);
        }
    }
    if (out && state != nullptr && state->size() == 1) {
        const auto value = static_cast<std::uint8_t>(state->front());
        out->state = value >= 1 && value <= 8 ? static_cast<message_state>(value) : message_state::unknown;
    }
    return out;
}

std::vector<std::string> id_alternatives(std::string_view message_id) {
    std::vector<std::string> out;
    const auto add = [&](std::string spelling) {
        if (!spelling.empty() && std::ranges::find(out, spelling) == out.end()) {
            out.push_back(std::move(spelling));
        }
    };
    add(std::string{message_id});
    std::string plain{message_id};
    std::ranges::transform(plain, plain.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    plain.erase(0, std::min(plain.find_first_not_of('0'), plain.empty() ? 0 : plain.size() - 1));
    add(plain);
    std::uint64_t value = 0;
    const auto reads_as = [&](int base) {
        const auto [end, ec] = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
        return ec == std::errc{} && end == plain.data() + plain.size();
    };
    if (all(plain, std::isxdigit) && reads_as(16)) {
        add(fmt::format("{}", value));
    }
    if (all(plain, std::isdigit) && reads_as(10)) {
        add(fmt::format("{:x}", value));
        add(fmt::format("{:X}", value));
    }
    return out;
}

} // namespace semel::sms
