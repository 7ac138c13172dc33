#pragma once
// When a campaign will be done, if nothing changes. Pure.

#include <base/ids.hpp>
#include <base/time.hpp>

#include <api/core/coverage.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace semel::api {

struct channel_pace {
    base::channel channel{};
    std::int64_t planned = 0;     ///< messages of the rows that are released
    std::int64_t outstanding = 0; ///< of these
    double per_second = 0;        ///< accepted, lately
};

/// When the slowest channel will be done at its present rate. Plan releases seconds of sending ahead, so most messages
/// of a large campaign are in nobody's count yet: a row that waits is taken for as many of them as those that are
/// released. Nothing: all is done, or a channel stands still, or no row is released yet.
std::optional<base::timestamp> forecast(std::span<const channel_pace>, const release_count&, base::timestamp now);

/// A channel that goes on and is not done by the deadline, and the rate that would bring it there.
struct late_channel {
    base::channel channel{};
    double per_second = 0;
    double needs = 0;
};
/// The slowest first. Empty when the deadline is past: no rate would help.
std::vector<late_channel> late_channels(std::span<const channel_pace>, const release_count&, base::timestamp now,
                                        base::timestamp deadline);
/// "sms goes at 40/s and needs 66/s".
std::string in_words(std::span<const late_channel>);

} // namespace semel::api
