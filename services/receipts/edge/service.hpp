#pragma once
// Reads `events` and `gateway.receipts`; writes `events`, `retry.*` and `doubts` in transactions with its offsets. One
// thing is done at a time: a batch of records, or a look at the clock. A transaction that did not commit is undone, and
// its records are read once more. One strand.

#include "bookmark.hpp"
#include "candidates.hpp"
#include "evidence_barrier.hpp"
#include "figures.hpp"
#include "index.hpp"
#include "outcome.hpp"
#include "state.hpp"

#include <base/known_time.hpp>
#include <kafka/consumer.hpp>
#include <kafka/fate.hpp>
#include <kafka/producer.hpp>
#include <postgres/pool.hpp>
#include <redis/client.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <string>

namespace semel::receipts {

struct settings {
    kafka::cluster bootstrap;
    std::int32_t partitions = 8; // of events, gateway.receipts, doubts and retry.*, as `semel up` creates them
    std::string instance;        // "receipts", "receipts-2": group.instance.id and transactional.id
    std::string prefix;          // of topics and the group; empty but in tests
    crypto::key_ring keys = {};  // of the hash that compares destinations
    std::set<std::string, std::less<>> exclusive; // gateways that carry nobody else's messages
    base::duration awaiting_limit = doubts::default_awaiting_limit;
    /// How long a receipt without a known message waits before anything is inferred from it: longer than an answer that
    /// names its message can take on a live connection.
    base::duration inference_after = std::chrono::minutes{2};
    /// What waits for its answer for longer has a record in `doubts` and is known to the other processes. Shorter than
    /// `inference_after`: what a receipt may mean must be known by then. A successor reads as much of `events` again.
    base::duration written_after = std::chrono::seconds{30};
    std::chrono::milliseconds look_every{1'000};
    base::time_source time; // must be set: while nothing is certain, no policy decides
};

/// With Kafka and PostgreSQL, before the process starts anew.
inline constexpr std::chrono::seconds patience{60};

class service {
  public:
    /// All references must outlive this; migrate() must have been run.
    service(boost::asio::any_io_executor, settings, postgres::pool&, redis::client&, campaign_source,
            telemetry::metrics&);

    /// Until `stop` completes; then ends the transaction at hand and leaves the group. Throws when it cannot go on.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);

  private:
    class only_one; // thing is done at a time

    boost::asio::awaitable<void> consume();
    boost::asio::awaitable<void> watch_clock();
    boost::asio::awaitable<void> until_stopped(boost::asio::awaitable<void> stop);
    boost::asio::awaitable<void> take(std::vector<kafka::topic_partition>);
    boost::asio::awaitable<std::vector<kafka::start>> recover(std::vector<kafka::topic_partition>);
    boost::asio::awaitable<void> take_up_awaited(std::vector<stretch>);
    boost::asio::awaitable<bool> is_committed_after_all(kafka::commit_result, std::vector<kafka::commit> wanted);
    boost::asio::awaitable<void> undo(std::vector<kafka::commit> wanted);
    boost::asio::awaitable<void> on_records(std::vector<kafka::record>);
    boost::asio::awaitable<void> look();
    boost::asio::awaitable<void> tell_progress();
    boost::asio::awaitable<outcome> decide();
    boost::asio::awaitable<bool> find_evidence(outcome&, base::timestamp orphaned_before);
    boost::asio::awaitable<std::optional<reading>> ends_of(std::vector<kafka::topic_partition>);
    boost::asio::awaitable<void> forget_old();
    std::vector<kafka::topic_partition> all_partitions() const;
    reading read_here() const;
    bool is_due(base::timestamp) const;
    void start_anew();
    boost::asio::awaitable<void> commit(outcome);
    boost::asio::awaitable<void> tell_index();
    boost::asio::awaitable<void> produce(const outcome&);
    std::vector<kafka::commit> offsets_of(const outcome&) const;
    template <class T>
    boost::asio::awaitable<T> persist(std::function<boost::asio::awaitable<T>()>);
    std::optional<policy> policy_of_campaign(const std::string&) const;
    base::timestamp now() const { return settings_.time().best; }
    kafka::topic_partition at(std::string_view topic, std::string_view notification) const;
    std::string topic(std::string_view name) const { return settings_.prefix + std::string{name}; }

    boost::asio::any_io_executor executor_;
    settings settings_;
    postgres::pool& db_;
    index index_;
    redis::client& redis_;
    campaign_source campaigns_;
    candidates candidates_;
    policy_source policies_;
    kafka::transactional_producer producer_;
    kafka::consumer consumer_;
    std::shared_ptr<const kafka::membership> membership_; // of the present assignment
    parts parts_;
    kafka::positions positions_; // committed
    reading ended_;       // where they were found read to their end since then
    reading told_;        // of this, what other processes were told
    evidence_barrier barrier_;
    bool busy_ = false;
    bool stopping_ = false;
    bool leaving_ = false;       // the partitions are being taken away
    runtime::condition changed_; // busy_ or stopping_
    std::chrono::steady_clock::time_point committed_;
    std::chrono::steady_clock::time_point prune_at_;
    figures figures_;
};

template <class T>
boost::asio::awaitable<T> service::persist(std::function<boost::asio::awaitable<T>()> call) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        try {
            co_return co_await call();
        } catch (const pqxx::failure& e) {
            // Every statement may be repeated.
            telemetry::log().warn("postgres.away", {{"why", e.what()}});
            if (stopping_ || std::chrono::steady_clock::now() > deadline) {
                throw;
            }
        }
        co_await runtime::sleep(std::chrono::milliseconds{500});
    }
}

} // namespace semel::receipts
