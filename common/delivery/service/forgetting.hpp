#pragma once
// What Kafka need not keep of dispatch.*. All that an auditor needs stands in the events; what is settled is
// not read again, whatever becomes of the dispatcher (docs/decisions/0015-what-is-kept-and-for-how-long.md).

#include <base/time.hpp>
#include <catalog/catalog.hpp>
#include <delivery/engine/engine.hpp>
#include <kafka/cluster.hpp>
#include <semel/v1/campaign.pb.h>
#include <telemetry/log.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace semel::delivery {

/// Settled records of dispatch.* are the plain list of who was to be told. They stay while their campaign runs, and for
/// as long as this from then on, for whoever looks into what happened.
inline constexpr std::chrono::hours dispatched_kept_afterwards{24};

/// Whether a settled record of dispatch.* stays. `campaign`: nothing when it is not known here; then it does.
bool stays(const v1::Campaign* campaign, base::timestamp written, base::timestamp now);

/// Deletes settled records of our partitions from time to time, up to the first one that stays. A broker that refuses
/// loses nothing by it. All references must outlive this.
boost::asio::awaitable<void> forget_dispatches(const engine&, const catalog::catalog&, kafka::cluster bootstrap,
                                               telemetry::logger&);

} // namespace semel::delivery
