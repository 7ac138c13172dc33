#pragma once
// One import order, carried out: check the whole file, write its rows, read them back, tell.
//
// Each transaction holds some chunks, the `progress` record that says how far the file has been read, and the work
// partition's offset, unchanged. By that offset a process that has lost the partition can no longer commit. Nobody
// looks at the rows before the ImportResult names their spans.

#include <kafka/transactor.hpp>
#include <telemetry/metrics.hpp>

#include <intake/core/chunker.hpp>
#include <intake/core/order.hpp>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

namespace semel::intake {

struct topics {
    std::string work = "intake.work", audience = "audience", progress = "progress", feedback = "feedback";
};

struct settings {
    kafka::cluster bootstrap;
    std::string group = "intake";
    std::string instance; // group.instance.id and transactional.id
    intake::topics topics;
    std::filesystem::path uploads, rejects;
    crypto::key_ring keys;
    std::int32_t audience_partitions = 0, progress_partitions = 0; // as the topics have them
    unsigned chunks_per_transaction = 20;
    audience::limits limits;                // a file beyond them is refused
    std::uint64_t listed_rejects = 100'000; // what is beyond is counted
};

struct counters {
    explicit counters(telemetry::metrics&);
    telemetry::counter rows_written, rows_rejected, imports_done, imports_refused, transactions_lost;
};

/// The order's record in `intake.work` and the tenure in which it was read.
struct assignment {
    kafka::topic_partition at;
    kafka::offset offset = 0;
    kafka::tenure_ptr of;
};

class wave_import {
  public:
    /// All references outlive run().
    wave_import(boost::asio::any_io_executor, const settings&, kafka::transactor&, counters&);

    enum class ending : unsigned char {
        done,      ///< told, and the order's offset committed
        again,     ///< a transaction did not commit: run again, it goes on from `progress`
        abandoned, ///< stop was requested, or the partition is another's
    };
    /// Throws when the process cannot go on (Kafka lost for good, a broken invariant, a full disk).
    boost::asio::awaitable<ending> run(v1::ImportOrder, assignment, std::stop_token);

  private:
    struct job;
    /// What the open transaction holds.
    struct part {
        unsigned chunks = 0;
        std::uint64_t rows = 0;
    };
    /// What pass 1 knows of a file that may be imported.
    struct checked {
        audience::totals totals;
        v1::ImportFindings findings;
    };

    boost::asio::awaitable<base::result<v1::Progress>> read_progress(std::string key);
    boost::asio::awaitable<base::result<checked>> check(const job&);
    boost::asio::awaitable<void> note_ends(v1::Progress&);
    boost::asio::awaitable<ending> write(job&);
    boost::asio::awaitable<std::uint64_t> put(const job&, kafka::transaction&, chunker&);
    boost::asio::awaitable<ending> commit_part(const job&, kafka::transaction&);
    boost::asio::awaitable<ending> prove(job&);
    boost::asio::awaitable<ending> tell(const job&, v1::ImportResult, const v1::Progress* done);
    boost::asio::awaitable<ending> commit(const job&, kafka::transaction&, kafka::commit);
    boost::asio::awaitable<void> produce_progress(const job&, kafka::transaction&, v1::Progress);
    boost::asio::awaitable<void> breathe();

    boost::asio::any_io_executor executor_;
    const settings& settings_;
    kafka::transactor& transactor_;
    counters& counters_;
};

} // namespace semel::intake
