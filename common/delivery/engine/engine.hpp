#pragma once
// The engine of email, push and sms: takes records of dispatch.* and retry.*, sends each once through a gateway, and
// says so. What makes it exactly once stands in window.hpp (the committed range), claims.hpp (the claim before the last
// bytes) and here, in the order of the steps of taking over, committing and rebuilding (docs/exactly-once.md).
//
// One strand, one consumer, one transactional producer a process. Data flows one way: consumer -> partitions -> deliver
// -> outbox -> commit.

#include <base/ids.hpp>
#include <base/known_time.hpp>
#include <catalog/catalog.hpp>
#include <config/config.hpp>
#include <delivery/core/breaker.hpp>
#include <delivery/gateway.hpp>
#include <kafka/cluster.hpp>
#include <kafka/types.hpp>
#include <redis/client.hpp>
#include <telemetry/log.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <trouble/trouble.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace semel::delivery {

/// A gateway with its limits, as semel.yaml has them.
struct lane_config {
    std::unique_ptr<delivery::gateway> gateway;
    config::rate limit;
    std::map<std::string, config::rate> domains; // email
};

struct engine_options {
    base::channel channel = base::channel::email;
    kafka::cluster bootstrap;
    std::string instance;        // "email-2": group.instance.id and transactional.id
    std::string prefix = {};     // of topics and group; empty but in tests
    std::int32_t partitions = 8; // of events, and of each retry.*
    /// At the latest; four times as often where all that is reserved is sent, or much is settled. A transaction costs
    /// Kafka the same for one record as for a thousand.
    std::chrono::milliseconds commit_every{240};
    std::chrono::milliseconds awaiting_after{3'000}; // sent and unanswered: settled as awaiting, so that nothing blocks
    std::chrono::milliseconds revoke_drain{2'000};
    std::chrono::milliseconds session_timeout{10'000};
    std::chrono::milliseconds cut_off_after{20'000}; // without Redis or the right time: then others get its partitions
    std::size_t fetched = 4'000;                     // records of a partition in memory, at most
    base::time_source time; // must be set: while nothing is certain, nothing is sent, and nothing expires
};

class engine {
  public:
    engine(boost::asio::any_io_executor, engine_options, catalog::catalog&, redis::client&, std::vector<lane_config>,
           telemetry::metrics&, telemetry::logger&);
    ~engine();

    /// Works until cancelled, or until Redis has been away, or this host's clock wrong, for so long that others should
    /// have the partitions: drain() then leaves the group for good, and the process starts anew. Throws when this
    /// process cannot go on (the supervisor restarts it, and the range and the claims say what was out).
    boost::asio::awaitable<void> run();

    /// After run() was cancelled: takes nothing new, waits for the answers of what is out, commits, leaves the group.
    /// What is unanswered at the deadline is in doubt: the connection ends with this process. False then. Takes up to
    /// closing_time more.
    boost::asio::awaitable<bool> drain(std::chrono::milliseconds deadline);
    /// Whether that is why run() ended.
    bool cut_off() const noexcept;

    /// What stands still at the moment, in words.
    std::vector<trouble::entry> troubles() const;

    /// Of our partitions of topics that begin so ("retry."): below which offset all is settled and committed.
    std::vector<kafka::start> settled(std::string_view topics) const;

    static constexpr std::chrono::milliseconds closing_time{8'000};

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
