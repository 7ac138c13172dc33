#include "problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::notice {

std::string to_text(const problem& p) {
    return fmt::format("{}:{}: {}{}. Mend: {}.", p.file, std::max(p.line, 1),
                       p.how_bad == severity::warning ? "warning: " : "", p.reason, p.mend);
}

bool has_errors(std::span<const problem> problems) noexcept {
    return std::ranges::any_of(problems, [](const problem& p) { return p.how_bad == severity::error; });
}

} // namespace semel::notice
