#include "utf8.hpp"

#include <algorithm>

namespace semel::notice {
namespace {

constexpr char32_t replacement = 0xfffd;

bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

bool is_plain_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_control(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

// They reorder or hide what stands around the value.
bool is_deceiving(char32_t c) noexcept {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0xfeff ||
           (c >= 0xe000 && c <= 0xf8ff);
}

} // namespace

char32_t take_code_point(std::string_view& rest) noexcept {
    const auto lead = static_cast<unsigned char>(rest.front());
    const auto give = [&](std::size_t size, char32_t value) {
        rest.remove_prefix(size);
        return value;
    };
    if (lead < 0x80) {
        return give(1, lead);
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || rest.size() < size) {
        return give(1, replacement);
    }
    char32_t value = lead & (0x7f >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (!is_continuation(rest[i])) {
            return give(1, replacement);
        }
        value = value << 6 | (static_cast<unsigned char>(rest[i]) & 0x3f);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    const bool outside = value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff);
    return overlong || outside ? give(1, replacement) : give(size, value);
}

void append_utf8(std::string& out, char32_t c) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | c >> 6);
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | c >> 12);
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | c >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto before = text.size();
        if (take_code_point(text) == replacement && before - text.size() != 3) {
            return false; // a genuine U+FFFD takes three bytes
        }
    }
    return true;
}

std::string clean_value(std::string_view value) {
    if (is_plain_ascii(value)) {
        return std::string{value};
    }
    std::string out;
    out.reserve(value.size());
    while (!value.empty()) {
        const auto c = take_code_point(value);
        if (is_control(c)) {
            out += ' ';
        } else if (!is_deceiving(c)) {
            append_utf8(out, c);
        }
    }
    return out;
}

} // namespace semel::notice
