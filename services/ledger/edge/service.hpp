#pragma once
// From `events` to PostgreSQL: one coroutine reads and folds, one writes what has been folded meanwhile, one tells
// Kafka how far it is. What PostgreSQL has is the truth: at each assignment reading starts where it stands, and
// whenever a write finds another position than it expects, everything that was read and not written is forgotten and
// read again.

#include <kafka/transactor.hpp>
#include <postgres/patiently.hpp>
#include <postgres/pool.hpp>
#include <runtime/condition.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <ledger/edge/store.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace semel::ledger {

struct settings {
    kafka::cluster bootstrap;
    std::string instance; // group.instance.id
    std::string group = "ledger";
    std::string topic = "events";
    std::chrono::milliseconds session_timeout{10'000};
    // A batch goes to PostgreSQL as soon as the one before is written; reading waits when the next one is this large.
    std::size_t most_events = 20'000;
    std::size_t most_bytes = 16U << 20U;
    std::chrono::milliseconds patience{1'000}; // between two attempts at PostgreSQL
};

class service : private kafka::tenant {
  public:
    /// `db` and `metrics` must outlive this. `health` hears a reason while nothing can be written, and nothing when
    /// reading has begun and all is well again.
    service(boost::asio::any_io_executor, settings, postgres::pool& db, telemetry::metrics& metrics,
            std::function<void(std::optional<std::string>)> health);

    /// Until `stop` completes. The transaction at hand is finished; what was only read is left to the next owner.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);

  private:
    struct work {
        ledger::batch events;
        stretches moves;
    };
    struct probe {
        explicit probe(telemetry::metrics&);
        telemetry::counter events, batches, dead_letters, waits, restarts;
        telemetry::gauge lag;
        telemetry::histogram seconds;
    };

    boost::asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    boost::asio::awaitable<void> leave(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> must_hold(kafka::topic_partition, kafka::offset next);
    void fold(const kafka::record&);
    boost::asio::awaitable<void> write();
    void forget_read();
    boost::asio::awaitable<void> report();
    boost::asio::awaitable<void> commit_offsets();
    boost::asio::awaitable<void> measure_lag();
    template <class F>
    auto patiently(F attempt, std::function<bool()> enough)
        -> boost::asio::awaitable<std::optional<std::invoke_result_t<F&, pqxx::connection&>>>;
    bool full() const;

    settings settings_;
    postgres::pool& db_;
    std::function<void(std::optional<std::string>)> health_;
    probe probe_;
    std::shared_ptr<store> store_; // also of the work that still runs on the pool's thread
    kafka::transactor transactor_;
    runtime::condition changed_;

    kafka::tenure_ptr now_;
    std::shared_ptr<work> next_ = std::make_shared<work>(); // what was read and is not being written
    std::map<std::int32_t, kafka::offset> read_to_;         // of the partitions that are ours
    std::map<std::int32_t, kafka::offset> written_to_;      // since the last commit to Kafka
    std::uint64_t epoch_ = 0;                               // rises when what was read so far counts no more
    bool migrated_ = false;                                 // the tables are there
    bool writing_ = false;                                  // a transaction of PostgreSQL is under way
    bool giving_up_ = false; // the partitions go to another ledger: do not wait for PostgreSQL any more
};

} // namespace semel::ledger
