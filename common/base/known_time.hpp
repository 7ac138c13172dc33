#pragma once
// The time as a process knows it. One host's clock may be wrong, and what cannot be taken back (a message expires, a
// doubt is decided, a campaign begins) would be wrong for good: docs/decisions/0014-whose-clock.md.

#include <base/time.hpp>

#include <functional>
#include <optional>

namespace semel::base {

struct known_time {
    timestamp best;                        ///< the broker's where it is known, else this host's
    std::optional<timestamp> certain = {}; ///< it is at least so late; nothing: decide nothing that stays
    bool differs = false;                  ///< that is why: this host's clock is not the broker's
};
using time_source = std::function<known_time()>;

} // namespace semel::base
