#include "estimate.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::ticks {

namespace {

using namespace std::chrono_literals;

constexpr base::duration grain = 1ms; // of a record's time

/// Two clocks that are set to the same time part by as much: each is slewed by 500 ppm at most.
constexpr base::duration drift(base::duration age) {
    return age / 1'000;
}

} // namespace

estimate::bounds estimate::aged(const bounds& b, base::instant now) {
    const auto grown = drift(std::max(now - b.as_of, base::duration{}));
    return {.low = b.low - grown, .high = b.high + grown, .as_of = now};
}

void estimate::take(const tick& t) {
    if (t.told < t.sent || t.told - t.sent > slowest) {
        return;
    }
    const auto appended = t.appended.time_since_epoch();
    const bounds fresh{.low = appended - t.told.time_since_epoch(),
                       .high = appended + grain - t.sent.time_since_epoch(),
                       .as_of = t.told};
    if (!known_) {
        known_ = fresh;
        return;
    }
    const auto before = aged(*known_, t.told);
    const bounds both{
        .low = std::max(before.low, fresh.low), .high = std::min(before.high, fresh.high), .as_of = t.told};
    known_ = both.low <= both.high ? both : fresh;
}

std::optional<span> estimate::at(base::instant now) const {
    if (!known_ || now - known_->as_of > kept) {
        return std::nullopt;
    }
    const auto b = aged(*known_, now);
    return span{.earliest = base::timestamp{now.time_since_epoch() + b.low},
                .latest = base::timestamp{now.time_since_epoch() + b.high}};
}

std::optional<base::duration> difference(const span& broker, base::timestamp wall) {
    if (wall - broker.latest > tolerance) {
        return wall - broker.latest;
    }
    if (broker.earliest - wall > tolerance) {
        return wall - broker.earliest;
    }
    return std::nullopt;
}

base::known_time judge(const std::optional<span>& broker, base::timestamp wall) {
    if (!broker) {
        return {.best = wall};
    }
    const bool differs = difference(*broker, wall).has_value();
    return {.best = broker->earliest,
            .certain = differs ? std::nullopt : std::optional{broker->earliest},
            .differs = differs};
}

std::string in_words(base::duration ahead) {
    const auto much = std::chrono::abs(ahead);
    const auto minutes = std::chrono::round<std::chrono::minutes>(much).count();
    const auto amount = much < 2min  ? fmt::format("{:.1f} s", std::chrono::duration<double>(much).count())
                        : much < 2h  ? fmt::format("{} min", minutes)
                        : much < 48h ? fmt::format("{} h {} min", minutes / 60, minutes % 60)
                                     : fmt::format("{} days", minutes / 60 / 24);
    return amount + (ahead > base::duration{} ? " ahead of" : " behind");
}

} // namespace semel::ticks
