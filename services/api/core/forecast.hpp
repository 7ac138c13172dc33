#pragma once
// When a campaign will be done, if nothing changes. Pure.

#include <base/time.hpp>

#include <api/core/coverage.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace semel::api {

struct channel_pace {
    std::int64_t planned = 0;     ///< messages of the rows that are released
    std::int64_t outstanding = 0; ///< of these
    double per_second = 0;        ///< accepted, lately
};

/// When the slowest channel will be done at its present rate. Plan releases seconds of sending ahead, so most messages
/// of a large campaign are in nobody's count yet: a row that waits is taken for as many of them as those that are
/// released. Nothing: all is done, or a channel stands still, or no row is released yet.
std::optional<base::timestamp> forecast(std::span<const channel_pace>, const release_count&, base::timestamp now);

} // namespace semel::api
