#include "problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::notice {

std::string_view to_string(severity s) noexcept {
    switch (s) {
    case severity::warning:
        return "warning";
    case severity::finding:
        return "finding";
    case severity::error:
        break;
    }
    return "error";
}

std::string to_text(const problem& p) {
    std::string mark;
    if (p.how_bad != severity::error) {
        mark = std::string{to_string(p.how_bad)} + (p.how_bad == severity::finding ? " " + p.id : "") + ": ";
    }
    const auto law = p.law.empty() ? std::string{} : " [" + p.law + "]";
    return fmt::format("{}:{}: {}{}{}. Mend: {}.", p.file, std::max(p.line, 1), mark, p.reason, law, p.mend);
}

bool has_errors(std::span<const problem> problems) noexcept {
    return std::ranges::any_of(problems, [](const problem& p) { return p.how_bad == severity::error; });
}

} // namespace semel::notice
