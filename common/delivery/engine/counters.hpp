#pragma once
// What the engine counts.

#include <telemetry/metrics.hpp>

namespace semel::delivery {

struct counters {
    explicit counters(telemetry::metrics&);

    telemetry::counter accepted, failed, deferred, in_doubt, awaiting, commits, commit_failures, rebuilds, dead_letters;
    telemetry::gauge flight, window, partitions, fetched, reserved, started;
    telemetry::histogram commit_seconds;
};

} // namespace semel::delivery
