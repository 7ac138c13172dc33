#pragma once
// What alerts look at, of each campaign that is launched and not over: the numbers that `status` has.

#include <base/time.hpp>
#include <telemetry/metrics.hpp>

#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>

#include <pqxx/pqxx>

namespace semel::api {

/// Series by the values of their labels.
struct campaign_figures {
    using series = std::map<telemetry::gauges::values, double>;
    series people; ///< campaign, state (running, paused, waiting; held: of waves that nobody has launched, or behind a
                   ///< canary)
    series messages;  ///< campaign, channel, why: not settled
    series rates;     ///< campaign, channel: accepted a second, of those that run
    series deadlines; ///< campaign
    series forecasts; ///< campaign; none where nothing can be said
    series halted;    ///< campaign: those that their own rule has stopped
};
campaign_figures read_figures(pqxx::work&, base::timestamp now);

/// Reads and shows them again and again; none while PostgreSQL cannot be asked. Several processes of the api show the
/// same.
boost::asio::awaitable<void> show_campaigns(services&, telemetry::metrics&,
                                            std::chrono::milliseconds every = std::chrono::seconds{10});

} // namespace semel::api
