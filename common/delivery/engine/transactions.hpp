#pragma once
// The transaction: what was settled, and what is reserved next, in one commit for each round. If its result is unknown
// the committed transaction number is read back, and only then either is believed (docs/exactly-once.md, "Committing").

#include <delivery/engine/counters.hpp>
#include <delivery/engine/outbox.hpp>
#include <delivery/engine/parking.hpp>
#include <delivery/engine/partitions.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

/// Runs a task until it ends, or this process does. False: there is to be no new one.
using spawner = std::function<bool(std::string label, asio::awaitable<void>)>;

class transactions {
  public:
    struct settings {
        std::string prefix;          // of topics
        std::int32_t partitions = 1; // of events
        std::size_t most_active = 2; // messages of this process under way, at most
    };
    transactions(settings, const ports&, partitions&, const parking&, outbox&, spawner, counters&, telemetry::logger&);

    /// One that has begun is carried to its end, even if who asked for it is cancelled meanwhile: what it took out of
    /// the outbox is either committed or put back. False: it was not committed.
    asio::awaitable<bool> commit();
    /// Again and again.
    asio::awaitable<bool> commit_within(std::chrono::milliseconds);

    /// From now on nothing more.
    void stop_reserving() noexcept { reserving_ = false; }

  private:
    struct proposal;
    using answer_ptr = std::shared_ptr<std::optional<bool>>;
    asio::awaitable<void> carry_out(answer_ptr);
    asio::awaitable<kafka::outcome> decide(const proposal&);
    asio::awaitable<kafka::commit_result> try_commit(const proposal&);
    asio::awaitable<bool> read_back(const proposal&);
    proposal propose();
    void take_effect(const proposal&);
    void reserve_due(partition&, base::instant now) const;
    void end(const answer_ptr&, bool well);

    settings settings_;
    ports ports_;
    partitions& partitions_;
    const parking& parking_;
    outbox& outbox_;
    spawner spawn_;
    counters& count_;
    telemetry::logger& log_;
    fact ended_; // the transaction that was under way
    bool under_way_ = false;
    bool reserving_ = true;
};

} // namespace semel::delivery
