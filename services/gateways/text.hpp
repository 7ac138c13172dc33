#pragma once
// Small things about bytes that every listener needs.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::gateways {

bool is_utf8(std::string_view) noexcept;
/// Quoted. Bytes that are not UTF-8 become U+FFFD.
void append_json(std::string& out, std::string_view text);
void append_number(std::string& out, std::uint64_t);
void append_hex(std::string& out, std::string_view bytes);
void append_base64(std::string& out, std::string_view bytes);
/// RFC 4648 section 5, without padding; nothing for what it is not.
std::optional<std::string> from_base64url(std::string_view);
bool is_hex(std::string_view) noexcept;
bool is_digits(std::string_view) noexcept;                   // at least one
bool same_word(std::string_view, std::string_view) noexcept; // ASCII case apart

} // namespace semel::gateways
