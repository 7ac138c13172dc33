#pragma once
// What the engine counts.

#include <telemetry/metrics.hpp>

#include <trouble/trouble.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace semel::delivery {

/// What stands still, lane by lane; a gateway that is well is shown, too.
class lane_figures {
  public:
    explicit lane_figures(telemetry::metrics&);
    /// Cheap while nothing changes.
    void show(const std::vector<std::string>& gateways, const std::vector<trouble::entry>& now);

  private:
    using standing = std::vector<std::pair<std::string, trouble::kind>>;

    telemetry::gauges gauges_;
    std::optional<standing> shown_;
};

struct counters {
    explicit counters(telemetry::metrics&);

    telemetry::counter accepted, failed, deferred, in_doubt, awaiting, commits, commit_failures, rebuilds, dead_letters;
    telemetry::gauge flight, window, partitions, fetched, reserved, started;
    telemetry::histogram commit_seconds;
    lane_figures lanes;
};

} // namespace semel::delivery
