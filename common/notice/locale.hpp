#pragma once
// Which of a notice's locales a person reads. Pure; no heavy includes, because intake asks for every row.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// A language tag of BCP 47 (RFC 5646, section 2.1): language, script, region, variants, extensions, private use; at
/// most 35 characters (section 4.4.1). Whatever is written into a header or a page as a language must be one.
bool is_locale(std::string_view tag) noexcept;

/// Lower-case language, upper-case region, title-case script, '-' between: "KO_kr" -> "ko-KR".
std::string normal_locale(std::string_view tag);

/// The longest prefix of `wanted` ("zh-Hant-TW", "zh-Hant", "zh") that the notice has, or whose entry in `fallback`
/// (chains are followed) it has; otherwise `otherwise`.
std::string resolve_locale(std::string_view wanted, const std::vector<std::string>& locales,
                           const std::map<std::string, std::string>& fallback, std::string_view otherwise);

} // namespace semel::notice
