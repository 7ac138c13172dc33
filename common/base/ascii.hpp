#pragma once
// Whether a text is ASCII alone. Also asked of every mail just before it goes.

#include <string_view>

namespace semel::base {

/// Reads on behind the first byte that is not: without an early end the compiler takes many bytes at a time.
constexpr bool is_ascii(std::string_view text) noexcept {
    unsigned char all = 0;
    for (const char c : text) {
        all |= static_cast<unsigned char>(c);
    }
    return all < 0x80;
}

} // namespace semel::base
