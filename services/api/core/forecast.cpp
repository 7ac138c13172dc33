#include "forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace semel::api {
namespace {

/// Messages of the channel that are still to go. Rows must not wait with none released: then nobody can say.
double left_of(const channel_pace& c, const release_count& rows) {
    const auto to_come =
        rows.waiting == 0 ? 0.0 : static_cast<double>(rows.waiting) / static_cast<double>(rows.released);
    return static_cast<double>(c.outstanding) + to_come * static_cast<double>(c.planned);
}

bool has_not_begun(const release_count& rows) {
    return rows.waiting > 0 && rows.released == 0;
}

std::string rate_text(double per_second) {
    return per_second < 9.95 ? fmt::format("{:.1f}/s", per_second) : fmt::format("{:.0f}/s", per_second);
}

/// Rounded up: what is said to be enough is enough.
double enough(double per_second) {
    return per_second < 9.9 ? std::ceil(per_second * 10) / 10 : std::ceil(per_second);
}

} // namespace

std::optional<base::timestamp> forecast(std::span<const channel_pace> channels, const release_count& rows,
                                        base::timestamp now) {
    if (has_not_begun(rows)) {
        return std::nullopt;
    }
    std::optional<double> longest;
    for (const auto& c : channels) {
        const auto left = left_of(c, rows);
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

std::vector<late_channel> late_channels(std::span<const channel_pace> channels, const release_count& rows,
                                        base::timestamp now, base::timestamp deadline) {
    const auto time = std::chrono::duration<double>(deadline - now).count();
    std::vector<late_channel> out;
    if (time <= 0 || has_not_begun(rows)) {
        return out;
    }
    for (const auto& c : channels) {
        const auto needs = left_of(c, rows) / time;
        if (c.per_second > 0 && needs > c.per_second) {
            out.push_back({.channel = c.channel, .per_second = c.per_second, .needs = needs});
        }
    }
    std::ranges::sort(out, std::ranges::greater{}, [](const late_channel& l) { return l.needs / l.per_second; });
    return out;
}

std::string in_words(std::span<const late_channel> late) {
    std::string out;
    for (const auto& l : late) {
        out += fmt::format("{}{} goes at {} and needs {}", out.empty() ? "" : ", ", base::to_string(l.channel),
                           rate_text(l.per_second), rate_text(enough(l.needs)));
    }
    return out;
}

} // namespace semel::api
