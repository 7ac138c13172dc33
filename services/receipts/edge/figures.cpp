#include "figures.hpp"

#include <receipts/core/evidence.hpp>

#include <algorithm>
#include <map>
#include <string>

namespace semel::receipts {

figures::figures(telemetry::metrics& metrics)
    : metrics_(metrics)
    , orphans_(metrics.make_counter("semel_receipts_parked_total", "Receipts whose message was not known yet"))
    , superseded_(metrics.make_counter("semel_receipts_superseded_total",
                                       "Accepted attempts that turned up while their resend was on its way"))
    , transactions_(metrics.make_counter("semel_receipts_transactions_total", "Kafka transactions committed"))
    , failures_(metrics.make_counter("semel_receipts_transactions_failed_total",
                                     "Kafka transactions aborted or of unknown outcome"))
    , written_(metrics.make_counter("semel_receipts_state_records_written_total", "Records written to doubts"))
    , read_back_(metrics.make_counter("semel_receipts_state_records_read_total",
                                      "Records of doubts that were read to take up the state"))
    , looks_(metrics.make_counter("semel_receipts_looks_total", "Looks at what time may have decided"))
    , dead_letters_(metrics.make_counter("semel_receipts_dead_letters_total", "Records that cannot be used"))
    , orphaned_(metrics.make_gauge("semel_receipts_orphans", "Receipts whose message is not known yet"))
    , oldest_(metrics.make_gauges("semel_receipts_oldest_doubt_timestamp_seconds",
                                  "Since when the oldest open doubt of this process is one; none: no series",
                                  {"state"}))
    , seconds_(metrics.make_histogram("semel_receipts_transaction_seconds",
                                      "From the first record to the commit's answer", {},
                                      {0.01, 0.03, 0.1, 0.3, 1, 3, 10})) {}

void figures::committed(const outcome& out, std::chrono::duration<double> took) {
    transactions_.add();
    seconds_.observe(took.count());
    superseded_.add(static_cast<double>(out.superseded.size()));
    orphans_.add(static_cast<double>(out.orphaned));
    dead_letters_.add(static_cast<double>(out.dead.size()));
    for (const auto& e : out.events) {
        switch (e.kind()) {
        case v1::EVENT_RECEIPT:
            metrics_
                .make_counter("semel_receipts_total", "Receipts that found their message",
                              {{"state", std::string{name_of(e.receipt())}}})
                .add();
            break;
        case v1::EVENT_RESENT:
            metrics_.make_counter("semel_receipts_resends_total", "Messages sent again", {{"why", e.code()}}).add();
            break;
        case v1::EVENT_UNRESOLVED:
            metrics_.make_counter("semel_receipts_unresolved_total", "Doubts left to an operator", {{"why", e.code()}})
                .add();
            break;
        case v1::EVENT_PRESUMED_SENT:
            metrics_.make_counter("semel_receipts_presumed_total", "Doubts presumed sent", {{"why", e.code()}}).add();
            break;
        case v1::EVENT_ACCEPTED:
            metrics_.make_counter("semel_receipts_proven_total", "Doubts that a receipt settled as accepted").add();
            break;
        default:
            break;
        }
    }
}

void figures::show_open(const parts& all) {
    std::map<std::string, double> by_state{
        {"awaiting", 0}, {"in_doubt", 0}, {"unresolved", 0}, {"presumed", 0}, {"resent", 0}};
    std::map<telemetry::gauges::values, double> oldest;
    for (const auto& [partition, p] : all) {
        for (const auto& [id, d] : p.doubts.open()) {
            const auto* state = d.awaiting()         ? "awaiting"
                                : d.unresolved()     ? "unresolved"
                                : d.presumed()       ? "presumed"
                                : d.resent_as() != 0 ? "resent"
                                                     : "in_doubt";
            ++by_state[state];
            const auto since = static_cast<double>(d.since_us()) / 1e6;
            const auto [at, fresh] = oldest.try_emplace({state}, since);
            at->second = std::min(at->second, since);
        }
    }
    oldest_.show(oldest);
    for (const auto& [state, n] : by_state) {
        metrics_.make_gauge("semel_receipts_open_doubts", "Open doubts of this process", {{"state", state}}).set(n);
    }
}

} // namespace semel::receipts
