#pragma once
// Text forms of bytes. Bytes travel as std::string, as protobuf and the C libraries have them.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace semel::base {

template <std::size_t N>
using byte_array = std::array<std::uint8_t, N>;

std::string to_hex(std::string_view bytes);
/// Lower or upper case; nothing on an odd length or a foreign character.
std::optional<std::string> from_hex(std::string_view hex);

/// A peer's words made safe for a log and for a protobuf string, which must be UTF-8 or nobody can read its record:
/// printable ASCII as it is, any other byte as %XX.
std::string to_printable(std::string_view bytes);

/// RFC 4648 section 4 (with padding) and section 5 (base64url, without padding).
std::string to_base64(std::string_view bytes);
std::string to_base64url(std::string_view bytes);
/// Strict: padding, alphabet and unused bits must be right.
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_base64url(std::string_view text);

template <std::size_t N>
std::string_view as_view(const byte_array<N>& bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
/// Nothing unless there are exactly N bytes.
template <std::size_t N>
std::optional<byte_array<N>> as_array(std::string_view bytes) noexcept {
    if (bytes.size() != N) {
        return std::nullopt;
    }
    byte_array<N> out{};
    for (std::size_t i = 0; i < N; ++i) {
        out[i] = static_cast<std::uint8_t>(bytes[i]);
    }
    return out;
}

} // namespace semel::base
