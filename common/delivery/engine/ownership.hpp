#pragma once
// Who owns a partition, and what Kafka and Redis are told about it: taking over, rebuilding what Redis forgot, giving
// up. The order of the steps is the proof (docs/exactly-once.md); each says what would go wrong otherwise.

#include <delivery/core/inherited.hpp>
#include <delivery/engine/counters.hpp>
#include <delivery/engine/outcomes.hpp>
#include <delivery/engine/partitions.hpp>
#include <delivery/engine/transactions.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

class ownership {
  public:
    struct settings {
        std::chrono::milliseconds revoke_drain{2'000};
        std::string only_gateway; ///< empty: there are several
        std::function<void()> feed;
    };
    ownership(settings, const ports&, partitions&, transactions&, outcomes&, outbox&, spawner, counters&,
              telemetry::logger&);

    /// What the group gave us. Answers it as soon as the owner number is committed; the rest goes on by itself.
    asio::awaitable<void> take_over(std::vector<kafka::topic_partition>);
    /// What the group takes back.
    asio::awaitable<void> give_up(kafka::revoked);
    /// This process ends: what is being taken over is not opened any more.
    void stop();

    /// Records that the owner before us had reserved: their claims say what becomes of them.
    void inherited(const partition_ptr&, std::vector<item>);

    /// Redis forgot, and we live: the claims are written anew, and nothing is in doubt. Nothing happens when that is
    /// under way, or the partition is not open.
    void start_rebuild(const partition_ptr&);

  private:
    asio::awaitable<void> raise_heads(std::uint64_t of_assignment);
    asio::awaitable<bool> raise_head(partition_ptr);
    asio::awaitable<void> decide_inherited(partition_ptr, std::vector<item>, at_work);
    using claims_found = std::vector<std::optional<std::string>>;
    asio::awaitable<base::result<claims_found>> look_up(partition_ptr, const std::vector<item>&);
    void decide(const partition_ptr&, item, const std::optional<std::string>& claim);
    asio::awaitable<void> rebuild(partition_ptr);
    asio::awaitable<bool> rebuild_once(partition_ptr);

    settings settings_;
    ports ports_;
    partitions& partitions_;
    transactions& transactions_;
    outcomes& outcomes_;
    outbox& outbox_;
    spawner spawn_;
    counters& count_;
    telemetry::logger& log_;
    std::uint64_t assignment_ = 0; // counts what the group decided
    base::instant rebuild_told_{};
};

} // namespace semel::delivery
