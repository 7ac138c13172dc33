#include "counters.hpp"

namespace semel::delivery {

counters::counters(telemetry::metrics& m)
    : accepted(m.make_counter("semel_delivery_accepted_total", "Messages a gateway accepted"))
    , failed(m.make_counter("semel_delivery_failed_total", "Notifications that failed for good"))
    , deferred(m.make_counter("semel_delivery_deferred_total", "Records put to retry.*"))
    , in_doubt(m.make_counter("semel_delivery_in_doubt_total", "Sends whose outcome is not known"))
    , awaiting(m.make_counter("semel_delivery_awaiting_total", "Sends settled before their answer"))
    , commits(m.make_counter("semel_delivery_commits_total", "Kafka transactions committed"))
    , commit_failures(
          m.make_counter("semel_delivery_commit_failures_total", "Kafka transactions aborted or of unknown outcome"))
    , rebuilds(m.make_counter("semel_delivery_redis_rebuilds_total",
                              "Times that the claims of a partition were written anew"))
    , dead_letters(m.make_counter("semel_delivery_dead_letters_total", "Records that could not be read"))
    , flight(m.make_gauge("semel_delivery_flight", "Messages whose last bytes are out, unanswered"))
    , window(m.make_gauge("semel_delivery_window", "The most that may be out unanswered: the bound on doubt"))
    , partitions(m.make_gauge("semel_delivery_partitions", "Partitions this process owns"))
    , fetched(m.make_gauge("semel_delivery_fetched", "Records in memory that are not started"))
    , reserved(m.make_gauge("semel_delivery_reserved", "Records reserved in Kafka that are not settled"))
    , started(m.make_gauge("semel_delivery_started", "Messages on their way through this process"))
    , commit_seconds(m.make_histogram("semel_delivery_commit_seconds", "Duration of a transaction", {},
                                      {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5})) {}

} // namespace semel::delivery
