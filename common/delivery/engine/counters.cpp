#include "counters.hpp"

#include <map>

namespace semel::delivery {

lane_figures::lane_figures(telemetry::metrics& m)
    : gauges_(m.make_gauges("semel_delivery_lane_trouble",
                            "1 while the gateway is stopped, suspected, failing or throttled, else 0",
                            {"gateway", "state"})) {}

void lane_figures::show(const std::vector<std::string>& gateways, const std::vector<trouble::entry>& now) {
    standing standing_now;
    for (const auto& e : now) {
        standing_now.emplace_back(e.subject, e.what);
    }
    if (shown_ == standing_now) {
        return;
    }
    std::map<telemetry::gauges::values, double> series;
    for (const auto& name : gateways) {
        for (const auto what :
             {trouble::kind::stopped, trouble::kind::suspected, trouble::kind::failing, trouble::kind::throttled}) {
            series[{name, std::string{to_string(what)}}] = 0;
        }
    }
    for (const auto& [name, what] : standing_now) {
        series[{name, std::string{to_string(what)}}] = 1;
    }
    gauges_.show(series);
    shown_ = std::move(standing_now);
}

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
                                      {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}))
    , lanes(m) {}

} // namespace semel::delivery
