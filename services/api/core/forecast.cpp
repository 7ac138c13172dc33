#include "forecast.hpp"

#include <algorithm>
#include <chrono>

namespace semel::api {

std::optional<base::timestamp> forecast(std::span<const channel_pace> channels, const release_count& rows,
                                        base::timestamp now) {
    if (rows.waiting > 0 && rows.released == 0) {
        return std::nullopt;
    }
    const auto to_come =
        rows.waiting == 0 ? 0.0 : static_cast<double>(rows.waiting) / static_cast<double>(rows.released);
    std::optional<double> longest;
    for (const auto& c : channels) {
        const auto left = static_cast<double>(c.outstanding) + to_come * static_cast<double>(c.planned);
        if (left <= 0) {
            continue;
        }
        if (c.per_second <= 0) {
            return std::nullopt;
        }
        longest = std::max(longest.value_or(0), left / c.per_second);
    }
    if (!longest) {
        return std::nullopt;
    }
    return std::chrono::floor<std::chrono::seconds>(now +
                                                    std::chrono::seconds{static_cast<std::int64_t>(*longest) + 1});
}

} // namespace semel::api
