#include "wave_import.hpp"

#include "rejects_file.hpp"
#include "stored_upload.hpp"

#include <failpoint/failpoint.hpp>
#include <kafka/consumer.hpp>
#include <kafka/trust.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/progress.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <intake/core/span_proof.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

namespace semel::intake {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Between two breaths the io thread belongs to the import: some 5 ms of rows.
constexpr unsigned rows_in_a_breath = 500;
constexpr auto read_back_patience = 120s;

/// For what the design says cannot happen, and for a Kafka that stays away: the process ends and starts over.
[[noreturn]] void give_up(const base::fault& fault) {
    throw std::runtime_error{fault.why()};
}

v1::ImportFindings findings_of(const audience::importer& rows) {
    v1::ImportFindings out;
    out.set_unreachable(rows.totals().unreachable);
    for (auto& warning : rows.warnings()) {
        out.add_warnings(std::move(warning));
    }
    for (const auto& column : rows.columns()) {
        auto& told = *out.add_columns();
        told.set_name(column.name);
        told.set_use(rows.use_of(column));
    }
    return out;
}

} // namespace

counters::counters(telemetry::metrics& metrics)
    : rows_written(metrics.make_counter("semel_intake_rows_total", "Rows of audience files written to Kafka"))
    , rows_rejected(
          metrics.make_counter("semel_intake_rejected_rows_total", "Rows rejected in imports that were taken"))
    , imports_done(
          metrics.make_counter("semel_intake_imports_total", "Import orders carried out", {{"result", "imported"}}))
    , imports_refused(
          metrics.make_counter("semel_intake_imports_total", "Import orders carried out", {{"result", "refused"}}))
    , transactions_lost(
          metrics.make_counter("semel_intake_lost_transactions_total",
                               "Transactions that did not commit; the import goes on from the last one")) {}

struct wave_import::job {
    intake::order order;
    assignment from;
    std::stop_token stop;
    std::string progress_key;
    audience::totals totals;
    v1::Progress progress;
};

wave_import::wave_import(asio::any_io_executor executor, const settings& settings, kafka::transactor& transactor,
                         counters& counters)
    : executor_(std::move(executor))
    , settings_(settings)
    , transactor_(transactor)
    , counters_(counters) {}

asio::awaitable<void> wave_import::breathe() {
    co_await asio::post(executor_, asio::use_awaitable);
}

asio::awaitable<wave_import::ending> wave_import::run(v1::ImportOrder raw, assignment from, std::stop_token stop) {
    auto read = read_order(raw, settings_.keys);
    job job{.order = {}, .from = std::move(from), .stop = stop, .progress_key = {}, .totals = {}, .progress = {}};
    v1::ImportResult result;
    result.set_upload(raw.upload());
    if (!read) {
        job.order.campaign = base::campaign_id{raw.campaign_id()};
        job.order.number = raw.upload();
        result.set_refused(true);
        result.set_reason(read.error().why());
        co_return co_await tell(job, std::move(result), nullptr);
    }
    job.order = std::move(*read);
    job.progress_key = wire::intake_progress_key(job.order.campaign, job.order.number);
    auto progress = co_await read_progress(job.progress_key);
    if (!progress) {
        result.set_refused(true);
        result.set_reason(progress.error().why());
        co_return co_await tell(job, std::move(result), nullptr);
    }
    job.progress = std::move(*progress);

    if (!job.progress.done()) {
        auto checked = co_await check(job);
        if (job.stop.stop_requested()) {
            co_return ending::abandoned;
        }
        if (!checked) {
            result.set_refused(true);
            result.set_reason(checked.error().why());
            co_return co_await tell(job, std::move(result), nullptr);
        }
        job.totals = checked->totals;
        if (const auto written = co_await write(job); written != ending::done) {
            co_return written;
        }
        if (const auto proven = co_await prove(job); proven != ending::done) {
            co_return proven;
        }
        job.progress.set_row(job.totals.rows);
        job.progress.set_rejected(job.totals.rejected);
        *job.progress.mutable_findings() = std::move(checked->findings);
        job.progress.set_done(true);
    }
    // An order that comes twice finds `done` and is answered in the same words.
    result.set_rows(job.progress.row());
    result.set_rejected(job.progress.rejected());
    *result.mutable_findings() = job.progress.findings();
    *result.mutable_spans() = job.progress.spans();
    const v1::Progress done = job.progress;
    co_return co_await tell(job, std::move(result), &done);
}

asio::awaitable<base::result<v1::Progress>> wave_import::read_progress(std::string key) {
    kafka::reader::options options{.bootstrap = settings_.bootstrap};
    kafka::reader reader{executor_, std::move(options)};
    kafka::topic_partition at{settings_.topics.progress, wire::progress_partition(key, settings_.progress_partitions)};
    if (const auto begun = co_await reader.from_beginning(std::move(at)); !begun) {
        give_up(begun.error());
    }
    v1::Progress found;
    while (!reader.at_end()) {
        for (const auto& record : co_await reader.next()) {
            if (record.key() == key &&
                !found.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
                // How far it came is not known: to begin anew would write rows twice.
                kafka::refuse(record, "it is not a Progress: written by a newer version of Semel?");
                co_return base::failed(base::fault::kind::broken,
                                       "it cannot be read how far this import came; upload the file again");
            }
        }
    }
    co_return found;
}

/// Pass 1: the whole file, without writing a row. The rejects are complete before the first row is written.
asio::awaitable<base::result<wave_import::checked>> wave_import::check(const job& job) {
    auto upload = stored_upload::open(settings_.uploads, job.order, settings_.limits);
    if (!upload) {
        co_return base::failed(std::move(upload.error()));
    }
    rejects_file rejects{settings_.rejects / audience::rejects_file(job.order.place()), settings_.listed_rejects};
    auto& rows = upload->rows();
    v1::Recipient recipient;
    for (unsigned n = 1;; ++n) {
        const auto step = rows.next(recipient);
        if (!step) {
            co_return base::failed(step.error());
        }
        if (*step == audience::importer::step::end) {
            break;
        }
        rejects.write(rows.rejects());
        if (n % rows_in_a_breath == 0) {
            co_await breathe();
            if (job.stop.stop_requested()) {
                co_return checked{}; // nobody looks at it: the import is given up
            }
        }
    }
    if (const auto whole = rows.judge_whole(); !whole) {
        co_return base::failed(whole.error());
    }
    if (job.order.file_digest && *job.order.file_digest != upload->digest()) {
        co_return base::failed(base::fault::kind::malformed,
                               "the stored upload is not the file that was uploaded: upload it again");
    }
    rejects.finish();
    SEMEL_FAILPOINT("intake.import.checked");
    checked out{.totals = rows.totals(), .findings = findings_of(rows)};
    co_return out;
}

/// Nothing of this wave was ever written: its records will come after these ends.
asio::awaitable<void> wave_import::note_ends(v1::Progress& progress) {
    for (std::int32_t p = 0; p < settings_.audience_partitions; ++p) {
        kafka::topic_partition at{settings_.topics.audience, p};
        const auto ends = co_await transactor_.watermarks(std::move(at));
        if (!ends) {
            give_up(ends.error());
        }
        auto& span = *progress.add_spans();
        span.set_partition(static_cast<std::uint32_t>(p));
        span.set_start_offset(ends->second);
    }
}

/// Pass 2: from where `progress` says.
asio::awaitable<wave_import::ending> wave_import::write(job& job) {
    auto& progress = job.progress;
    if (progress.spans().empty()) {
        co_await note_ends(progress);
    }
    auto upload = stored_upload::open(settings_.uploads, job.order, {}); // pass 1 held it to the limits
    if (!upload) {
        give_up(upload.error());
    }
    auto& rows = upload->rows();
    if (const auto there = rows.skip_to(progress.row()); !there) {
        give_up(there.error());
    }
    if (progress.row() != 0 && rows.position() != progress.byte_offset()) {
        throw std::runtime_error{"the stored upload changed while it was imported"};
    }

    chunker chunks{job.order.campaign, job.order.number, progress.chunk()};
    std::optional<kafka::transaction> open;
    part in_it;
    bool more = true;
    while (more) {
        const auto step = rows.next(chunks.slot());
        if (!step) {
            give_up(step.error()); // pass 1 read the same bytes to the end
        }
        more = *step != audience::importer::step::end;
        if (*step == audience::importer::step::recipient) {
            chunks.keep();
        } else {
            chunks.drop();
        }
        // Also where a canary ends: by the row of the file, so that a restart cuts in the same places.
        const bool cut = rows.totals().rows == job.order.cut_after_row;
        if (!chunks.empty() && (chunks.full() || cut || !more)) {
            if (!open && !(open = co_await transactor_.begin(job.from.of))) {
                co_return ending::abandoned;
            }
            in_it.rows += co_await put(job, *open, chunks);
            ++in_it.chunks;
            progress.set_row(rows.totals().rows);
            progress.set_byte_offset(rows.position());
            progress.set_chunk(chunks.next_chunk());
            co_await breathe();
            if (job.stop.stop_requested()) {
                co_await open->abort();
                co_return ending::abandoned;
            }
        }
        if (in_it.chunks != 0 && (in_it.chunks == settings_.chunks_per_transaction || !more)) {
            if (const auto committed = co_await commit_part(job, *open); committed != ending::done) {
                co_return committed;
            }
            open.reset();
            counters_.rows_written.add(static_cast<double>(std::exchange(in_it, {}).rows));
        }
    }
    co_return ending::done;
}

/// How many rows.
asio::awaitable<std::uint64_t> wave_import::put(const job& job, kafka::transaction& into, chunker& chunks) {
    const auto record = chunks.take(job.order.key);
    const auto partitions = static_cast<std::uint64_t>(settings_.audience_partitions);
    kafka::topic_partition to{settings_.topics.audience, static_cast<std::int32_t>(record.chunk() % partitions)};
    const auto bytes = record.SerializeAsString();
    co_await into.produce(std::move(to), job.order.campaign.value(), bytes);
    co_return record.count();
}

asio::awaitable<wave_import::ending> wave_import::commit_part(const job& job, kafka::transaction& transaction) {
    co_await produce_progress(job, transaction, job.progress);
    SEMEL_FAILPOINT("intake.chunks.produced");
    // The same offset: it fences a former owner. The metadata tells whether the transaction was committed.
    kafka::commit so_far{.at = job.from.at,
                         .next = job.from.offset,
                         .metadata = fmt::format("{} {}", job.progress_key, job.progress.chunk())};
    const auto ended = co_await commit(job, transaction, std::move(so_far));
    if (ended == ending::done) {
        SEMEL_FAILPOINT("intake.chunks.committed");
    }
    co_return ended;
}

/// Reads back what was committed since the noted ends; the spans become exact.
asio::awaitable<wave_import::ending> wave_import::prove(job& job) {
    auto& progress = job.progress;
    span_proof proof{job.order.campaign, job.order.number, static_cast<std::uint32_t>(settings_.audience_partitions),
                     progress.chunk(), job.totals.rows - job.totals.rejected};
    kafka::reader::options options{.bootstrap = settings_.bootstrap};
    kafka::reader reader{executor_, std::move(options)};
    std::vector<kafka::start> starts;
    for (const auto& span : progress.spans()) {
        starts.push_back(
            {{settings_.topics.audience, static_cast<std::int32_t>(span.partition())}, span.start_offset()});
    }
    reader.assign(starts);
    const auto deadline = std::chrono::steady_clock::now() + read_back_patience;
    // Another import's open transaction holds back what may be read of a partition, so the end is asked for again.
    do {
        if (const auto known = co_await reader.refresh_end(); !known) {
            give_up(known.error());
        }
        while (!reader.at_end()) {
            for (const auto& record : co_await reader.next()) {
                v1::AudienceRecord chunk;
                if (!chunk.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
                    kafka::refuse(record, "it is not an AudienceRecord");
                    continue;
                }
                const auto taken =
                    proof.take(static_cast<std::uint32_t>(record.at().partition), record.offset(), chunk);
                if (!taken) {
                    give_up(taken.error());
                }
            }
            if (job.stop.stop_requested()) {
                co_return ending::abandoned;
            }
        }
        if (!proof.complete()) {
            co_await runtime::sleep(100ms);
        }
    } while (!proof.complete() && std::chrono::steady_clock::now() < deadline);
    auto spans = proof.finish();
    if (!spans) {
        give_up(spans.error());
    }
    progress.clear_spans();
    for (auto& span : *spans) {
        *progress.add_spans() = std::move(span);
    }
    SEMEL_FAILPOINT("intake.spans.proven");
    co_return ending::done;
}

asio::awaitable<void> wave_import::produce_progress(const job& job, kafka::transaction& into, v1::Progress progress) {
    kafka::topic_partition to{settings_.topics.progress,
                              wire::progress_partition(job.progress_key, settings_.progress_partitions)};
    const auto bytes = progress.SerializeAsString();
    co_await into.produce(std::move(to), job.progress_key, bytes);
}

asio::awaitable<wave_import::ending> wave_import::tell(const job& job, v1::ImportResult result,
                                                       const v1::Progress* done) {
    const bool refused = result.refused();
    telemetry::log().info(refused ? "audience.refused" : "audience.imported", {{"campaign", job.order.campaign.value()},
                                                                               {"upload", job.order.number},
                                                                               {"rows", result.rows()},
                                                                               {"rejected", result.rejected()},
                                                                               {"why", result.reason()}});
    v1::Feedback feedback;
    feedback.set_campaign_id(job.order.campaign.value());
    const auto rejected = result.rejected();
    *feedback.mutable_imported() = std::move(result);
    auto transaction = co_await transactor_.begin(job.from.of);
    if (!transaction) {
        co_return ending::abandoned;
    }
    if (done != nullptr) {
        co_await produce_progress(job, *transaction, *done);
    }
    if (!job.order.campaign.value().empty()) { // else the order did not parse, and there is nobody to tell
        kafka::topic_partition to{settings_.topics.feedback, 0};
        const auto bytes = feedback.SerializeAsString();
        co_await transaction->produce(std::move(to), job.order.campaign.value(), bytes);
    }
    SEMEL_FAILPOINT("intake.result.produced");
    kafka::commit behind{.at = job.from.at, .next = job.from.offset + 1, .metadata = {}};
    const auto ended = co_await commit(job, *transaction, std::move(behind));
    SEMEL_FAILPOINT("intake.result.committed");
    if (ended == ending::done) {
        (refused ? counters_.imports_refused : counters_.imports_done).add();
        counters_.rows_rejected.add(static_cast<double>(rejected));
    }
    co_return ended;
}

asio::awaitable<wave_import::ending> wave_import::commit(const job& job, kafka::transaction& transaction,
                                                         kafka::commit to) {
    std::vector<kafka::commit> offsets;
    offsets.push_back(std::move(to));
    switch (co_await transaction.commit(std::move(offsets))) {
    case kafka::settled::committed:
        co_return ending::done;
    case kafka::settled::undone:
        counters_.transactions_lost.add();
        telemetry::log().warn("import.continued",
                              {{"campaign", job.order.campaign.value()}, {"upload", job.order.number}});
        co_return ending::again;
    case kafka::settled::over:
        break;
    }
    counters_.transactions_lost.add();
    co_return ending::abandoned;
}

} // namespace semel::intake
