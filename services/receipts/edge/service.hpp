#pragma once
// Reads `events` and `gateway.receipts`; writes `events`, `retry.*` and `doubts` in transactions with its offsets. One
// thing is done at a time: a batch of records, or a look at the clock. A transaction that did not commit is undone, and
// its records are read once more. PostgreSQL is waited for, as long as the partitions are ours. One strand.

#include "bookmark.hpp"
#include "candidates.hpp"
#include "evidence_barrier.hpp"
#include "figures.hpp"
#include "index.hpp"
#include "outcome.hpp"
#include "state.hpp"

#include <base/known_time.hpp>
#include <kafka/transactor.hpp>
#include <postgres/patiently.hpp>
#include <postgres/pool.hpp>
#include <redis/client.hpp>
#include <runtime/mutex.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>
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

class service : private kafka::tenant {
  public:
    /// All references must outlive this; migrate() must have been run.
    service(boost::asio::any_io_executor, settings, postgres::pool&, redis::client&, campaign_source,
            telemetry::metrics&);

    /// Until `stop` completes; then ends the transaction at hand and leaves the group. Throws when it cannot go on.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);
    /// Why nothing is done at the moment; nothing when something is.
    const std::optional<std::string>& trouble() const noexcept { return trouble_; }

  private:
    boost::asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    boost::asio::awaitable<void> leave(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> watch_clock();
    boost::asio::awaitable<void> recover();
    boost::asio::awaitable<void> take_up_awaited(std::vector<stretch>);
    boost::asio::awaitable<void> undo(std::vector<kafka::commit> wanted);
    struct batch;
    void take_events(batch&, const kafka::record&);
    void take_receipt(batch&, const kafka::record&);
    void conclude(batch&, const index::answer&, base::timestamp);
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
    boost::asio::awaitable<void> produce(kafka::transaction&, const outcome&);
    struct written {
        std::vector<std::string> settled; // notifications
        std::size_t records = 0;
    };
    boost::asio::awaitable<written> produce_changes(kafka::transaction&);
    boost::asio::awaitable<void> after_commit(const outcome&, const written&);
    std::vector<kafka::commit> offsets_of(const outcome&) const;
    /// For every use of the index: each of its statements may be repeated.
    template <class Attempt>
    auto patiently(Attempt attempt) {
        return postgres::patiently(std::move(attempt), waiting());
    }
    postgres::waiting waiting();
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
    kafka::transactor transactor_;
    kafka::tenure_ptr now_; // null: no partition is ours, or nothing is known of them
    parts parts_;
    reading ended_; // where they were found read to their end since then
    reading told_;  // of this, what other processes were told
    evidence_barrier barrier_;
    runtime::mutex one_at_a_time_;
    std::optional<std::string> trouble_; // with PostgreSQL
    std::chrono::steady_clock::time_point prune_at_;
    figures figures_;
};

} // namespace semel::receipts
