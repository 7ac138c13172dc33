#pragma once
// The engine of email, push and sms: takes records of dispatch.* and retry.*, sends each once through a gateway, and
// says so. This is the wiring; what makes it exactly once stands in its parts (docs/exactly-once.md):
//
//   partitions    those that are ours; in `partition` the phases of one
//   ownership     taking over, rebuilding what Redis forgot, giving up
//   courier       one message: prepare, stage, claim, release
//   lanes         which gateway, and what its answer says of it
//   admission     room, tokens, pace
//   outcomes      an event, a retry record, a bit in the range
//   transactions  all of that in one commit, and what is reserved next
//
// One strand. Data flows one way: log -> partitions -> courier -> outbox -> transaction.

#include <base/ids.hpp>
#include <delivery/engine/lanes.hpp>
#include <delivery/engine/ports.hpp>
#include <telemetry/log.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <trouble/trouble.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace semel::delivery {

struct engine_options {
    base::channel channel = base::channel::email;
    std::string prefix = {};     // of topics and buckets; empty but in tests
    std::int32_t partitions = 8; // of events, and of each retry.*
    /// At the latest; four times as often where all that is reserved is sent, or much is settled. A transaction costs
    /// Kafka the same for one record as for a thousand.
    std::chrono::milliseconds commit_every{240};
    std::chrono::milliseconds awaiting_after{3'000}; // sent and unanswered: settled as awaiting, so that nothing blocks
    std::chrono::milliseconds revoke_drain{2'000};
    std::chrono::milliseconds cut_off_after{20'000}; // without Redis or the right time: then others get its partitions
    std::size_t fetched = 4'000;                     // records of a partition in memory, at most
};

class engine {
  public:
    /// While the clock says nothing certain, nothing is sent, and nothing expires. What the ports refer to must outlive
    /// the engine.
    engine(asio::any_io_executor, engine_options, const ports&, std::vector<lane_config>, telemetry::metrics&,
           telemetry::logger&);
    ~engine();

    /// Works until cancelled, or until Redis has been away, or this host's clock wrong, for so long that others should
    /// have the partitions: drain() then leaves the group for good, and the process starts anew. Throws when this
    /// process cannot go on (the supervisor restarts it, and the range and the claims say what was out).
    asio::awaitable<void> run();

    /// After run() was cancelled: takes nothing new, waits for the answers of what is out, commits, leaves the group.
    /// What is unanswered at the deadline is in doubt: the connection ends with this process. False then. Takes up to
    /// closing_time more.
    asio::awaitable<bool> drain(std::chrono::milliseconds deadline);
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
