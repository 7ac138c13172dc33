#pragma once
// Which of a notice's locales a person reads. Pure; no heavy includes, because intake asks for every row.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// Lower-case language, upper-case region, title-case script, '-' between: "KO_kr" -> "ko-KR".
std::string normal_locale(std::string_view tag);

/// The longest prefix of `wanted` ("zh-Hant-TW", "zh-Hant", "zh") that the notice has, or whose entry in `fallback`
/// (chains are followed) it has; otherwise `otherwise`.
std::string resolve_locale(std::string_view wanted, const std::vector<std::string>& locales,
                           const std::map<std::string, std::string>& fallback, std::string_view otherwise);

} // namespace semel::notice
