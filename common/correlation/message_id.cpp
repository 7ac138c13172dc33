#include "message_id.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace semel::correlation {

namespace {

bool all(std::string_view text, int (*test)(int)) {
    return !text.empty() && std::ranges::all_of(text, [test](unsigned char c) { return test(c) != 0; });
}

/// A number in another base. Ids are longer than any integer.
std::string in_base(std::string_view digits, unsigned from, unsigned to) {
    std::string out; // backwards
    std::string rest{digits};
    std::ranges::transform(rest, rest.begin(),
                           [](char c) { return static_cast<char>(c <= '9' ? c - '0' : c - 'a' + 10); });
    while (!rest.empty()) {
        unsigned carry = 0;
        std::string quotient;
        for (const char digit : rest) {
            carry = carry * from + static_cast<unsigned char>(digit);
            if (const auto q = carry / to; q != 0 || !quotient.empty()) {
                quotient += static_cast<char>(q);
            }
            carry %= to;
        }
        out += "0123456789abcdef"[carry];
        rest = std::move(quotient);
    }
    std::ranges::reverse(out);
    return out;
}

} // namespace

std::string_view trimmed_id(std::string_view id) {
    constexpr std::string_view around{" \r\n\t\0\"'", 7};
    const auto start = id.find_first_not_of(around);
    return start == std::string_view::npos ? std::string_view{}
                                           : id.substr(start, id.find_last_not_of(around) - start + 1);
}

std::string plain_id(std::string_view message_id) {
    std::string plain{trimmed_id(message_id)};
    std::ranges::transform(plain, plain.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (plain.starts_with("0x") && all(std::string_view{plain}.substr(2), std::isxdigit)) {
        plain.erase(0, 2);
    }
    plain.erase(0, std::min(plain.find_first_not_of('0'), plain.empty() ? 0 : plain.size() - 1));
    return plain;
}

std::vector<std::string> id_alternatives(std::string_view message_id) {
    auto plain = plain_id(message_id);
    if (plain.empty()) {
        return {};
    }
    std::vector<std::string> out;
    const auto add = [&](std::string form) {
        if (std::ranges::find(out, form) == out.end()) {
            out.push_back(std::move(form));
        }
    };
    add(plain);
    if (plain.size() <= 64 && all(plain, std::isdigit)) {
        add(in_base(plain, 10, 16));
    }
    if (plain.size() <= 64 && all(plain, std::isxdigit)) {
        add(in_base(plain, 16, 10));
    }
    return out;
}

std::uint16_t user_message_reference(const base::notification_id& id) noexcept {
    return static_cast<std::uint16_t>(id.value()[0] << 8U | id.value()[1]);
}

} // namespace semel::correlation
