#pragma once
// The engine's state and the signatures of its three parts: engine.cpp (consume, feed, drain), engine_owner.cpp
// (taking over, committing, rebuilding), engine_deliver.cpp (one message).

#include <delivery/engine.hpp>
#include <delivery/outbox.hpp>
#include <delivery/partition.hpp>
#include <delivery/rates.hpp>
#include <delivery/settlement.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <runtime/tasks.hpp>

#include <list>
#include <map>

namespace semel::delivery {

namespace asio = boost::asio;

/// A gateway and what the engine knows about it.
struct lane {
    std::unique_ptr<delivery::gateway> gateway;
    double per_second = 0;
    std::map<std::string, double> domains;
    delivery::breaker breaker;
    std::size_t active = 0;
    bool alarmed = false;
};

/// A message whose last bytes are out and whose answer has not come.
struct flight {
    partition_ptr source;
    item message;
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
    asio::awaitable<void> on_records(std::vector<kafka::record>);
    void enqueue(partition&, item);
    void feed();
    bool next_of(partition&, base::timestamp now, item& out);
    void settle_overdue(std::chrono::steady_clock::time_point since_before, bool closing_only);
    void balance_fetching(partition&);
    partition_ptr find(const kafka::topic_partition&) const;

    // engine_owner.cpp
    asio::awaitable<void> take_over(std::vector<kafka::topic_partition>);
    asio::awaitable<bool> take_over_one(partition_ptr);
    asio::awaitable<void> give_up(kafka::revoked);
    asio::awaitable<bool> commit_once();
    asio::awaitable<kafka::commit_result> try_commit(const std::vector<outgoing>&, std::vector<kafka::commit>);
    asio::awaitable<bool> read_back(const std::vector<partition_ptr>&);
    asio::awaitable<bool> commit_until(std::chrono::milliseconds deadline);
    void start_rebuild(const partition_ptr&);
    asio::awaitable<void> rebuild(partition_ptr);
    asio::awaitable<void> decide_inherited(partition_ptr, std::vector<item>);
    void open(partition&);

    // engine_deliver.cpp
    asio::awaitable<void> deliver(partition_ptr, item);
    asio::awaitable<void> send(partition_ptr, item&);
    lane* choose(const outbound&, const v1::Dispatch&, base::timestamp now, std::chrono::milliseconds& wait);
    asio::awaitable<std::optional<std::chrono::milliseconds>> take_tokens(lane&, const outbound&, const v1::Delivery&,
                                                                          std::uint32_t campaign_rate);
    asio::awaitable<bool> claim(partition_ptr, const item&, bool& in_doubt);
    void heed(lane&, const verdict&);
    void settle(const partition_ptr&, const item&, const settlement&, std::string gateway = {},
                std::string message_id = {}, std::string content_sha256 = {}, bool late = false);
    void settle_awaiting(flight&);
    void bury(const partition_ptr&, kafka::offset, std::string_view raw, const std::string& why);
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
    std::vector<partition_ptr> order; // round robin over them
    std::size_t turn = 0;
    flight_list flights;
    std::vector<outgoing> outbox;

    runtime::gate gate;
    runtime::signal wake;  // something to commit
    runtime::signal moved; // a partition changed its phase, or a delivery ended
    std::size_t active = 0;
    std::size_t most_active = 0;
    std::uint64_t redis_generation = 0;
    bool committing = false;
    bool feeding = true;
    std::chrono::steady_clock::time_point last_committed;

    struct counters {
        telemetry::counter accepted, failed, deferred, in_doubt, awaiting, commits, commit_failures, rebuilds,
            dead_letters;
        telemetry::gauge flight, partitions;
        telemetry::histogram commit_seconds;
    } count;
};

} // namespace semel::delivery
