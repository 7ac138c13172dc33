#pragma once
// The engine's state and the signatures of its parts: engine.cpp (consume, feed, drain), engine_owner.cpp (taking over,
// rebuilding, giving up), engine_commit.cpp (the transaction), engine_deliver.cpp (one message), engine_lanes.cpp
// (which gateway, how fast), engine_settle.cpp (what becomes of it).

#include <delivery/core/blame.hpp>
#include <delivery/core/lane_pace.hpp>
#include <delivery/core/settlement.hpp>
#include <delivery/engine/engine.hpp>
#include <delivery/engine/outbox.hpp>
#include <delivery/engine/partition.hpp>
#include <delivery/redis/rates.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <runtime/tasks.hpp>

#include <list>
#include <map>
#include <optional>
#include <set>

namespace semel::delivery {

namespace asio = boost::asio;

/// For one token, wherever it comes from.
inline constexpr std::chrono::milliseconds patience_for_tokens{1'000};

/// A gateway and what the engine knows about it.
struct lane {
    std::unique_ptr<delivery::gateway> gateway;
    std::string bucket; // of its tokens
    double per_second = 0;
    std::map<std::string, double> domains;
    delivery::breaker breaker;
    delivery::blame blame;
    lane_pace pace;          // what the gateway takes, below per_second
    std::size_t busy_at = 2; // as many as keep it busy: more would only wait
    std::size_t active = 0;
    std::chrono::steady_clock::time_point entered = {}; // by a message, the last time
    bool alarmed = false;
    bool probing = false; // one message finds out whether the gateway is back

    bool takes(base::instant now) const noexcept { return !breaker.blocks(now) && !(probing && breaker.unproven()); }
};

/// A message whose last bytes are out and whose answer has not come.
struct flight {
    partition_ptr source;
    const item* message = nullptr; // of the send() that waits for the answer
    std::string gateway;
    std::string content_sha256;
    std::chrono::steady_clock::time_point since;
    bool awaiting = false; ///< settled already; the answer will be an event of its own
};
using flight_list = std::list<flight>;

struct engine::impl : std::enable_shared_from_this<impl> {
    impl(asio::any_io_executor, engine_options, catalog::catalog&, redis::client&, std::vector<lane_config>,
         telemetry::metrics&, telemetry::logger&);

    // engine.cpp
    asio::awaitable<void> run();
    asio::awaitable<bool> drain(std::chrono::milliseconds deadline);
    asio::awaitable<void> consume();
    asio::awaitable<void> commit_loop();
    asio::awaitable<void> tick();
    void on_records(const std::vector<kafka::record>&);
    void enqueue(partition&, item);
    void give_back(const partition_ptr&);
    void feed();
    bool next_of(partition&, base::instant now, item& out);
    void reserve_due(partition&, base::instant now) const;
    bool is_cut_off();
    void settle_overdue(std::chrono::steady_clock::time_point since_before, bool closing_only);
    void balance_fetching(partition&);
    partition_ptr find(const kafka::topic_partition&) const;

    // engine_owner.cpp
    asio::awaitable<void> take_over(std::vector<kafka::topic_partition>);
    asio::awaitable<void> raise_heads(std::uint64_t of_assignment);
    asio::awaitable<bool> take_over_one(partition_ptr);
    asio::awaitable<void> give_up(kafka::revoked);
    void start_rebuild(const partition_ptr&);
    asio::awaitable<void> rebuild(partition_ptr);
    asio::awaitable<bool> rebuild_once(partition_ptr);
    asio::awaitable<void> decide_inherited(partition_ptr, std::vector<item>);
    void decide(const partition_ptr&, item, const std::optional<std::string>& claim);
    void open(partition&);
    void lose(partition&, std::string_view why);

    // engine_commit.cpp
    asio::awaitable<bool> commit_once();
    asio::awaitable<bool> commit_until(std::chrono::milliseconds deadline);
    asio::awaitable<void> commit_now(std::shared_ptr<std::optional<bool>> committed);
    asio::awaitable<kafka::commit_result> try_commit(const std::vector<outgoing>&, std::vector<kafka::commit>);
    asio::awaitable<bool> read_back(const std::vector<partition_ptr>&);

    // engine_deliver.cpp
    asio::awaitable<void> deliver(partition_ptr, item);
    asio::awaitable<void> send(partition_ptr, item&);
    asio::awaitable<bool> transmit(partition_ptr, item&, const catalog::campaign&, const outbound&, const v1::Delivery&,
                                   const std::string& content_sha256);
    bool stays_parked(const partition&, const item&) const;
    void send_parked_round();
    enum class claimed : unsigned char { yes, in_doubt, later, withdrawn };
    asio::awaitable<claimed> claim(partition_ptr, const item&, const std::string& gateway);

    // engine_lanes.cpp
    lane* choose(const outbound&, const v1::Dispatch&, base::instant now, std::chrono::milliseconds& wait);
    std::size_t room(const lane&) const;
    bool left_lying(const v1::Dispatch&, base::instant now) const;
    asio::awaitable<bool> admitted(lane&, const partition&);
    asio::awaitable<std::optional<std::chrono::milliseconds>> take_tokens(lane&, const outbound&,
                                                                          std::string_view domain,
                                                                          std::uint32_t campaign_rate,
                                                                          std::function<bool()> wanted);
    asio::awaitable<void> renew(lane&, std::chrono::steady_clock::time_point taken);
    enum class paced : unsigned char { yes, later, withdrawn };
    asio::awaitable<paced> keep_pace(lane&, std::string_view domain, partition_ptr);
    verdict heed(lane&, const v1::Dispatch&, std::string_view domain, base::instant sent, verdict);
    verdict find_blame(lane&, const v1::Dispatch&, std::string_view domain, verdict);
    std::vector<trouble::entry> troubles() const;
    void alarm(lane&, std::string_view what, const verdict&);

    // engine_settle.cpp
    void settle(const partition_ptr&, const item&, settlement, std::string gateway = {}, std::string message_id = {},
                std::string content_sha256 = {}, bool late = false);
    std::int32_t retry_place(std::int32_t of_source, std::string_view gateway) const;
    void settle_awaiting(flight&);
    void settle_at_end(flight&);
    void bury(const partition_ptr&, const item&, const std::string& why);
    void close_range(partition&, kafka::offset);
    v1::Event event_of(v1::EventKind, const v1::Dispatch&, std::string_view discriminator = {}) const;

    asio::any_io_executor executor;
    engine_options options;
    catalog::catalog& catalog;
    redis::client& redis;
    telemetry::logger& log;
    std::vector<lane> lanes;
    delivery::rates rates;
    kafka::consumer consumer;
    kafka::transactional_producer producer;
    std::shared_ptr<const kafka::membership> membership;

    std::map<kafka::topic_partition, partition_ptr> partitions;
    std::vector<partition_ptr> order;   // round robin over them
    std::size_t last_fed = 0;           // index into order
    std::set<base::campaign_id> paused; // campaigns, as of `paused_version` of the catalog
    std::uint64_t paused_version = 0;
    std::chrono::steady_clock::time_point looked_behind; // parked records
    flight_list flights;
    std::set<std::string> missing; // pinned gateways that are not in semel.yaml
    std::vector<outgoing> outbox;

    runtime::gate gate;
    runtime::signal wake;  // something to commit
    runtime::signal moved; // a partition changed its phase, or a delivery ended
    std::size_t active = 0;
    std::size_t most_active = 0;
    bool committing = false;
    bool feeding = true;
    bool inside_feed = false;
    std::uint64_t assignment = 0; // counts what the group decided
    std::optional<std::chrono::steady_clock::time_point> held_up_since;
    bool cut_off = false; // from Redis, or from the right time, for too long
    std::chrono::steady_clock::time_point last_committed;
    std::chrono::steady_clock::time_point rebuild_told;

    struct counters {
        telemetry::counter accepted, failed, deferred, in_doubt, awaiting, commits, commit_failures, rebuilds,
            dead_letters;
        telemetry::gauge flight, window, partitions, fetched, reserved, started;
        telemetry::histogram commit_seconds;
    } count;
};

} // namespace semel::delivery
