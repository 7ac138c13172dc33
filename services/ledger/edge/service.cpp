#include "service.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <postgres/outage.hpp>
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

/// What to tell the operator while waiting; nothing: waiting would not help.
std::optional<std::string> waiting_for(const std::exception& e) {
    const auto away = postgres::outage_in(e);
    using enum postgres::outage::kind;
    if (!away || away->what == no_such_table) { // ours: nobody else makes them
        return std::nullopt;
    }
    switch (away->what) {
    case commit_in_doubt:
        return away->words + "; what it has is looked up before going on";
    case disk_full:
        return away->words + ": make room, writing goes on by itself";
    case short_of_something:
        return away->words + ": see its log, writing goes on by itself";
    default:
        return away->words;
    }
}

kafka::consumer_options consumer_of(const settings& s) {
    kafka::consumer_options options;
    options.bootstrap = s.bootstrap;
    options.group = s.group;
    options.instance = s.instance;
    options.topics = {s.topic};
    options.session_timeout = s.session_timeout;
    options.batch = 100; // records; each may hold hundreds of events
    options.prefetch_kib = 8'192;
    return options;
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
    , consumer_(executor, consumer_of(settings_))
    , offsets_(executor,
               {.bootstrap = settings_.bootstrap, .transactional_id = settings_.group + "." + settings_.instance})
    , changed_(executor) {}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(read());
    tasks.push_back(write());
    tasks.push_back(report());
    co_await runtime::race(runtime::first_of(std::move(tasks)), std::move(stop));
    co_await commit_offsets();
    co_await consumer_.close();
}

/// Repeats the attempt as long as PostgreSQL is only away. Nothing: given up.
template <class F>
auto service::patiently(F attempt) -> asio::awaitable<std::optional<std::invoke_result_t<F&, pqxx::connection&>>> {
    for (;;) {
        std::optional<std::string> why;
        try {
            auto done = co_await db_.run([attempt](pqxx::connection& c) mutable {
                try {
                    return attempt(c);
                } catch (const pqxx::sql_error&) {
                    throw;
                } catch (const std::exception&) {
                    if (!c.is_open()) { // a COPY that was cut off says so in words only
                        throw pqxx::broken_connection{"the connection to PostgreSQL was lost"};
                    }
                    throw;
                }
            });
            if (std::exchange(waiting_, false)) {
                telemetry::log().info("postgres.back");
                health_(std::nullopt);
            }
            co_return std::move(done);
        } catch (const std::exception& e) {
            why = waiting_for(e);
            if (!why) {
                throw;
            }
        }
        probe_.waits.add();
        if (!std::exchange(waiting_, true)) {
            telemetry::log().warn("postgres.away", {{"why", *why}});
            health_(why);
        }
        if (giving_up_) {
            co_return std::nullopt;
        }
        if (!co_await runtime::sleep(settings_.patience)) {
            throw boost::system::system_error{asio::error::operation_aborted};
        }
    }
}

asio::awaitable<void> service::read() {
    co_await patiently([](pqxx::connection& c) {
        migrate(c);
        return true;
    });
    for (;;) {
        auto event = co_await consumer_.next();
        if (auto* gained = std::get_if<kafka::assigned>(&event)) {
            co_await begin(std::move(*gained));
        } else if (auto* gone = std::get_if<kafka::revoked>(&event)) {
            ++epoch_;
            next_ = std::make_shared<work>();
            giving_up_ = true;
            while (writing_) {
                co_await changed_.wait();
            }
            giving_up_ = false;
            if (!gone->lost) {
                co_await commit_offsets();
            }
            written_to_.clear();
            read_to_.clear();
            membership_.reset();
            consumer_.release(*gone);
        } else if (auto* fetched = std::get_if<kafka::records>(&event)) {
            co_await take(std::move(*fetched));
        } else {
            co_return;
        }
    }
}

asio::awaitable<void> service::begin(kafka::assigned gained) {
    membership_ = consumer_.current_membership();
    std::vector<std::int32_t> mine;
    for (const auto& at : gained.partitions) {
        mine.push_back(at.partition);
    }
    auto stored = co_await patiently([s = store_, mine](pqxx::connection& c) { return s->positions(c, mine); });
    if (!stored) {
        co_return;
    }
    std::vector<kafka::start> starts;
    for (const auto& at : gained.partitions) {
        const auto next = stored->at(at.partition);
        for (;;) {
            const auto ends = co_await consumer_.watermarks(at);
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
                break;
            }
            if (!ends.error().retryable()) {
                throw std::runtime_error{ends.error().why()};
            }
            telemetry::log().warn("kafka.away", {{"why", ends.error().why()}});
            if (!co_await runtime::sleep(settings_.patience)) {
                throw boost::system::system_error{asio::error::operation_aborted};
            }
        }
        starts.push_back({.at = at, .next = next});
    }
    read_to_ = std::move(*stored);
    consumer_.begin(starts);
    telemetry::log().info("partitions.taken", {{"partitions", starts.size()}});
    health_(std::nullopt);
}

asio::awaitable<void> service::take(kafka::records fetched) {
    const auto epoch = epoch_;
    for (const auto& record : fetched.batch) {
        while (starting_over_ || full()) {
            changed_.notify(); // the writer may wait for us
            co_await changed_.wait();
        }
        if (epoch != epoch_) {
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
            co_await patiently([s = store_, now](pqxx::connection& c) { return s->write(c, now->events, now->moves); });
        SEMEL_FAILPOINT("ledger.batch.known");
        if (done == written::moved) {
            co_await start_over();
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

asio::awaitable<void> service::start_over() {
    if (giving_up_) {
        co_return;
    }
    telemetry::log().warn("positions.moved");
    probe_.restarts.add();
    starting_over_ = true;
    const auto stored =
        co_await patiently([s = store_, mine = partitions()](pqxx::connection& c) { return s->positions(c, mine); });
    starting_over_ = false;
    ++epoch_;
    next_ = std::make_shared<work>();
    if (!stored || giving_up_) {
        co_return;
    }
    for (const auto& [partition, next] : *stored) {
        read_to_[partition] = next;
        consumer_.seek({settings_.topic, partition}, next);
    }
}

std::vector<std::int32_t> service::partitions() const {
    std::vector<std::int32_t> all;
    for (const auto& [partition, next] : read_to_) {
        all.push_back(partition);
    }
    return all;
}

/// For other tools' eyes; a failure is told and changes nothing.
asio::awaitable<void> service::report() {
    co_await offsets_.init();
    committing_ = true;
    for (int i = 0; co_await runtime::sleep(commit_every); ++i) {
        co_await commit_offsets();
        if (i % lag_every == 0) {
            co_await measure_lag();
        }
    }
}

asio::awaitable<void> service::commit_offsets() {
    if (!committing_ || written_to_.empty() || !membership_) {
        co_return;
    }
    std::vector<kafka::commit> commits;
    for (const auto& [partition, next] : std::exchange(written_to_, {})) {
        commits.push_back({.at = {settings_.topic, partition}, .next = next, .metadata = {}});
    }
    committing_ = false; // one at a time, and none through a producer whose state is unknown
    offsets_.begin();
    const auto result = co_await offsets_.commit(std::move(commits), membership_);
    SEMEL_FAILPOINT("ledger.offsets.committed");
    if (result.outcome != kafka::outcome::committed) {
        telemetry::log().warn("offsets.not_committed", {{"why", result.why}});
    }
    if (result.outcome == kafka::outcome::unknown) {
        co_await offsets_.rebuild();
    }
    committing_ = true;
}

asio::awaitable<void> service::measure_lag() {
    const auto mine = read_to_;
    double lag = 0;
    for (const auto& [partition, next] : mine) {
        if (const auto ends = co_await consumer_.watermarks({settings_.topic, partition})) {
            lag += static_cast<double>(std::max<kafka::offset>(ends->second - next, 0));
        }
    }
    probe_.lag.set(lag);
}

} // namespace semel::ledger
