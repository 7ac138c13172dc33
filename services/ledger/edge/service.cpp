#include "service.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>
#include <ledger/schema.hpp>

#include <algorithm>
#include <stdexcept>

namespace semel::ledger {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto commit_every = 1s;
constexpr int lag_every = 5; // commits

kafka::transactor_options transactor_of(const settings& s) {
    return {.bootstrap = s.bootstrap,
            .group = s.group,
            .instance = s.instance,
            .transactional_id = s.group + "." + s.instance,
            .topics = {s.topic},
            .batch = 100, // records; each may hold hundreds of events
            .prefetch_kib = 8'192,
            .session_timeout = s.session_timeout,
            .positions_elsewhere = true};
}

} // namespace

service::probe::probe(telemetry::metrics& m)
    : events(m.make_counter("semel_ledger_events_total", "Events written, repetitions included"))
    , batches(m.make_counter("semel_ledger_transactions_total", "PostgreSQL transactions committed"))
    , dead_letters(m.make_counter("semel_ledger_dead_letters_total", "Records and events that could not be read"))
    , waits(m.make_counter("semel_ledger_postgres_waits_total", "Attempts at PostgreSQL that have to be repeated"))
    , restarts(m.make_counter("semel_ledger_restarts_total",
                              "Times that PostgreSQL stood elsewhere than expected and reading began anew"))
    , lag(m.make_gauge("semel_ledger_lag_records", "Records of our partitions that are not written yet"))
    , seconds(m.make_histogram("semel_ledger_transaction_seconds", "From a batch to its commit", {},
                               {0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10})) {}

service::service(asio::any_io_executor executor, settings s, postgres::pool& db, telemetry::metrics& metrics,
                 std::function<void(std::optional<std::string>)> health)
    : settings_(std::move(s))
    , db_(db)
    , health_(std::move(health))
    , probe_(metrics)
    , store_(std::make_shared<store>(settings_.topic))
    , transactor_(executor, transactor_of(settings_))
    , changed_(executor) {}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(transactor_.run(*this, std::move(stop)));
    tasks.push_back(write());
    tasks.push_back(report());
    co_await runtime::first_of(std::move(tasks));
}

/// Repeats the attempt as long as PostgreSQL is only away. Nothing: given up.
template <class F>
auto service::patiently(F attempt, std::function<bool()> enough)
    -> asio::awaitable<std::optional<std::invoke_result_t<F&, pqxx::connection&>>> {
    const auto tell = [this](const std::optional<std::string>& why) {
        if (why) {
            probe_.waits.add();
        }
        health_(why);
    };
    postgres::waiting how{.pace = {.first = settings_.patience, .longest = settings_.patience},
                          .tables_are_ours = true,
                          .enough = std::move(enough),
                          .tell = tell};
    try {
        co_return co_await postgres::patiently(db_, std::move(attempt), std::move(how));
    } catch (const postgres::given_up&) {
        co_return std::nullopt;
    }
}

/// What PostgreSQL has is the truth, whatever the group has committed.
asio::awaitable<std::vector<kafka::start>> service::take(kafka::tenure_ptr of) {
    std::vector<std::int32_t> mine;
    for (const auto& at : of->partitions()) {
        mine.push_back(at.partition);
    }
    auto stored = co_await patiently(
        [s = store_, mine, migrated = migrated_](pqxx::connection& c) {
            if (!migrated) {
                migrate(c);
            }
            return s->positions(c, mine);
        },
        [of] { return of->ending(); });
    if (!stored) {
        co_return of->starts(); // the end: nothing will be read
    }
    migrated_ = true;
    std::vector<kafka::start> starts;
    for (const auto& at : of->partitions()) {
        const auto next = stored->at(at.partition);
        co_await must_hold(at, next);
        starts.push_back({.at = at, .next = next});
    }
    read_to_ = std::move(*stored);
    now_ = of;
    telemetry::log().info("positions.taken", {{"partitions", starts.size()}});
    health_(std::nullopt);
    co_return starts;
}

asio::awaitable<void> service::must_hold(kafka::topic_partition at, kafka::offset next) {
    for (;;) {
        const auto ends = co_await transactor_.watermarks(at);
        if (ends && (next < ends->first || next > ends->second)) {
            throw std::runtime_error{
                fmt::format("PostgreSQL has the events of {}/{} up to {}, and Kafka holds {} to {}: {}", at.topic,
                            at.partition, next, ends->first, ends->second,
                            next < ends->first ? "events were deleted before they were written; restore the topic, "
                                                 "and check its retention"
                                               : "this is another Kafka, or one that lost records; each Kafka "
                                                 "needs a database of its own")};
        }
        if (ends) {
            co_return;
        }
        if (!ends.error().retryable()) {
            throw std::runtime_error{ends.error().why()};
        }
        telemetry::log().warn("kafka.away", {{"why", ends.error().why()}});
        if (!co_await runtime::sleep(settings_.patience)) {
            throw boost::system::system_error{asio::error::operation_aborted};
        }
    }
}

asio::awaitable<void> service::leave(kafka::tenure_ptr) {
    forget_read();
    giving_up_ = true;
    while (writing_) {
        co_await changed_.wait();
    }
    giving_up_ = false;
    co_await commit_offsets();
    written_to_.clear();
    read_to_.clear();
    now_.reset();
}

void service::forget_read() {
    ++epoch_;
    next_ = std::make_shared<work>();
    changed_.notify();
}

asio::awaitable<void> service::read(kafka::tenure_ptr of, kafka::records fetched) {
    const auto epoch = epoch_;
    for (const auto& record : fetched.batch) {
        while (full() && !of->ending()) {
            changed_.notify(); // the writer may wait for us
            co_await changed_.wait_for(settings_.patience);
        }
        if (epoch != epoch_ || of->ending()) {
            co_return; // read again from where PostgreSQL stands
        }
        fold(record);
    }
    changed_.notify();
}

void service::fold(const kafka::record& record) {
    auto& read_to = read_to_.at(record.at().partition);
    auto& move = next_->moves.try_emplace(record.at().partition, stretch{.from = read_to, .to = read_to}).first->second;
    read_to = record.offset() + 1;
    move.to = read_to;
    const auto bury = [&](const std::string& campaign, std::string_view what, std::string_view why) {
        const auto where =
            fmt::format("{}/{} offset {}{}", record.at().topic, record.at().partition, record.offset(), what);
        telemetry::log().error("record.unusable", {{"where", where}, {"why", why}});
        probe_.dead_letters.add();
        next_->events.take_dead_letter(campaign, where, why, base::now());
    };
    v1::EventBatch batch;
    if (!batch.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
        bury({}, {}, "the record is not an EventBatch");
        return;
    }
    int number = 0;
    for (auto& event : *batch.mutable_events()) {
        const auto campaign = event.campaign_id();
        if (const auto ok = next_->events.take(std::move(event)); !ok) {
            bury(campaign, fmt::format(", event {}", number), ok.error().why());
        }
        ++number;
    }
}

bool service::full() const {
    return next_->events.events() >= settings_.most_events || next_->events.bytes() >= settings_.most_bytes;
}

asio::awaitable<void> service::write() {
    for (;;) {
        while (next_->moves.empty()) {
            co_await changed_.wait();
        }
        const std::shared_ptr<const work> now = std::exchange(next_, std::make_shared<work>());
        writing_ = true;
        changed_.notify();
        const auto begun = clock::now();
        const auto done =
            co_await patiently([s = store_, now](pqxx::connection& c) { return s->write(c, now->events, now->moves); },
                               [this] { return giving_up_; });
        SEMEL_FAILPOINT("ledger.batch.known");
        if (done == written::moved) {
            telemetry::log().warn("positions.moved");
            probe_.restarts.add();
            forget_read();
            transactor_.again(now_);
        } else if (done) {
            probe_.seconds.observe(std::chrono::duration<double>(clock::now() - begun).count());
            probe_.batches.add();
            probe_.events.add(static_cast<double>(now->events.events()));
            for (const auto& [partition, move] : now->moves) {
                written_to_[partition] = move.to;
            }
        }
        writing_ = false;
        changed_.notify();
    }
}

/// For other tools' eyes; a failure is told and changes nothing.
asio::awaitable<void> service::report() {
    for (int i = 0; co_await runtime::sleep(commit_every); ++i) {
        co_await commit_offsets();
        if (i % lag_every == 0) {
            co_await measure_lag();
        }
    }
}

asio::awaitable<void> service::commit_offsets() {
    std::vector<kafka::commit> commits;
    for (const auto& [partition, next] : std::exchange(written_to_, {})) {
        commits.push_back({.at = {settings_.topic, partition}, .next = next, .metadata = {}});
    }
    if (commits.empty() || !now_) {
        co_return;
    }
    auto transaction = co_await transactor_.begin(now_);
    if (!transaction) {
        co_return;
    }
    const auto became = co_await transaction->commit(std::move(commits));
    SEMEL_FAILPOINT("ledger.offsets.committed");
    if (became != kafka::settled::committed) {
        telemetry::log().warn("offsets.not_committed", {{"then", "PostgreSQL has them"}});
    }
}

asio::awaitable<void> service::measure_lag() {
    const auto mine = read_to_;
    double lag = 0;
    for (const auto& [partition, next] : mine) {
        if (const auto ends = co_await transactor_.watermarks({settings_.topic, partition})) {
            lag += static_cast<double>(std::max<kafka::offset>(ends->second - next, 0));
        }
    }
    probe_.lag.set(lag);
}

} // namespace semel::ledger
