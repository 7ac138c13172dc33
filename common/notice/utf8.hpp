#pragma once
// Walking UTF-8 that may be broken: an invalid byte reads as U+FFFD, one at a time, so that every text has a meaning
// and the same bytes always have the same one.

#include <string>
#include <string_view>

namespace semel::notice {

/// Takes the first code point off `rest` (not empty).
char32_t take_code_point(std::string_view& rest) noexcept;
void append_utf8(std::string& out, char32_t code_point);
bool is_valid_utf8(std::string_view text) noexcept;

/// A slot's value as it may enter any message: one line of valid UTF-8. Line breaks and other controls become spaces
/// (nobody's name starts a header or a section), bidirectional overrides and byte order marks are dropped.
std::string clean_value(std::string_view value);

} // namespace semel::notice
