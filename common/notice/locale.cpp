#include "locale.hpp"

#include <algorithm>
#include <cstddef>

namespace semel::notice {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

} // namespace

std::string normal_locale(std::string_view tag) {
    std::string out;
    for (std::size_t at = 0; at <= tag.size();) {
        const auto end = std::min(tag.find_first_of("-_", at), tag.size());
        const auto part = tag.substr(at, end - at);
        const bool region = at != 0 && part.size() == 2;
        const bool script = at != 0 && part.size() == 4;
        if (at != 0) {
            out += '-';
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            out += region || (script && i == 0) ? upper(part[i]) : lower(part[i]);
        }
        at = end + 1;
    }
    return out;
}

std::string resolve_locale(std::string_view wanted, const std::vector<std::string>& locales,
                           const std::map<std::string, std::string>& fallback, std::string_view otherwise) {
    const auto has = [&](const std::string& locale) { return std::ranges::find(locales, locale) != locales.end(); };
    auto prefix = normal_locale(wanted);
    while (!prefix.empty()) {
        auto candidate = prefix;
        // A chain longer than the table goes in a circle.
        for (std::size_t steps = 0; steps <= fallback.size(); ++steps) {
            if (has(candidate)) {
                return candidate;
            }
            const auto next = fallback.find(candidate);
            if (next == fallback.end()) {
                break;
            }
            candidate = next->second;
        }
        const auto cut = prefix.rfind('-');
        prefix.resize(cut == std::string::npos ? 0 : cut);
    }
    return std::string{otherwise};
}

} // namespace semel::notice
