#include "engine.hpp"

#include <base/codes.hpp>
#include <delivery/engine/admission.hpp>
#include <delivery/engine/counters.hpp>
#include <delivery/engine/courier.hpp>
#include <delivery/engine/feeder.hpp>
#include <delivery/engine/outbox.hpp>
#include <delivery/engine/outcomes.hpp>
#include <delivery/engine/ownership.hpp>
#include <delivery/engine/parking.hpp>
#include <delivery/engine/partitions.hpp>
#include <delivery/engine/transactions.hpp>
#include <failpoint/failpoint.hpp>
#include <kafka/patience.hpp>
#include <runtime/gate.hpp>
#include <runtime/race.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;

namespace {

std::string only_of(const std::vector<std::string>& names) {
    return names.size() == 1 ? names.front() : std::string{};
}

/// Another in each process, and the same in each run of a simulation.
std::uint32_t seed_from(const clock& clock) {
    return static_cast<std::uint32_t>(clock.now().time_since_epoch().count());
}

item read(const fetched::record& record, const clock& clock) {
    item i{.at = record.at, .dispatch = {}};
    const bool parsed = i.dispatch.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()));
    if (!parsed) {
        i.dispatch.Clear(); // of a half-read one, not even the names can be told
    }
    if (!parsed || i.dispatch.notification().size() != 32 || i.dispatch.attempt() == 0) {
        i.unreadable = "the record is not a Dispatch";
        i.raw = record.value;
    }
    i.due = clock.now() + wait_left(record.from->topic, i.dispatch, clock.time().best);
    return i;
}

} // namespace

struct engine::impl : std::enable_shared_from_this<impl> {
    impl(asio::any_io_executor, engine_options, const delivery::ports&, std::vector<lane_config>, telemetry::metrics&,
         telemetry::logger&);

    asio::awaitable<void> run();
    asio::awaitable<bool> drain(std::chrono::milliseconds patience);
    asio::awaitable<void> consume();
    asio::awaitable<void> commit_loop();
    asio::awaitable<void> tick();
    asio::awaitable<void> leave();
    void take(const fetched&);
    void give_back(const partition_ptr&);
    void find_forgotten();
    void show();
    bool is_cut_off();

    spawner spawning();
    static asio::awaitable<void> keep(std::shared_ptr<impl>, asio::awaitable<void> task);

    engine_options options;
    delivery::ports ports;
    telemetry::logger& log;
    counters count;
    runtime::gate gate;
    delivery::lanes lanes;
    delivery::partitions partitions;
    delivery::parking parking;
    delivery::outbox outbox;
    delivery::outcomes outcomes;
    delivery::transactions transactions;
    delivery::ownership ownership;
    delivery::admission admission;
    delivery::courier courier;
    delivery::feeder feeder;
    kafka::patience patience;
    std::optional<base::instant> held_up_since;
    bool cut_off = false; // from Redis, or from the right time, for too long
};

engine::impl::impl(asio::any_io_executor ex, engine_options o, const delivery::ports& p,
                   std::vector<lane_config> configs, telemetry::metrics& metrics, telemetry::logger& logger)
    : options(std::move(o))
    , ports(p)
    , log(logger)
    , count(metrics)
    , gate(std::move(ex))
    , lanes(std::move(configs), fmt::format("{}gateway:{}:", options.prefix, base::to_string(options.channel)),
            p.tokens, p.clock, logger)
    , partitions(p.reader, p.clock, logger, options.fetched)
    , parking(p.knowledge, p.clock, partitions)
    , outcomes({.channel = options.channel,
                .prefix = options.prefix,
                .partitions = options.partitions,
                .gateways = lanes.names()},
               p.clock, logger, count, outbox)
    , transactions({.prefix = options.prefix, .partitions = options.partitions, .most_active = lanes.most_active()}, p,
                   partitions, parking, outbox, spawning(), count, logger)
    , ownership({.revoke_drain = options.revoke_drain,
                 .only_gateway = only_of(lanes.names()),
                 .feed = [this] { feeder.feed(); }},
                p, partitions, transactions, outcomes, outbox, spawning(), count, logger)
    , admission(lanes, p.tokens, p.clock, options.prefix)
    , courier(options.channel, p, partitions, lanes, admission, outcomes, ownership)
    , feeder(p, partitions, parking, lanes, outbox, courier, spawning())
    , patience(fmt::format("channel {}", base::to_string(options.channel)), {}, seed_from(p.clock)) {
    count.window.set(static_cast<double>(lanes.window()));
}

/// The last of its tasks to end may be the last to hold the engine.
asio::awaitable<void> engine::impl::keep([[maybe_unused]] std::shared_ptr<impl> self, asio::awaitable<void> task) {
    co_await std::move(task);
}

spawner engine::impl::spawning() {
    return [this](std::string label, asio::awaitable<void> task) {
        return gate.spawn(std::move(label), keep(shared_from_this(), std::move(task)));
    };
}

asio::awaitable<void> engine::impl::run() {
    co_await ports.knowledge.loaded();
    co_await ports.store.connected();
    co_await ports.writer.init();
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(consume());
    tasks.push_back(commit_loop());
    tasks.push_back(tick());
    co_await runtime::first_of(std::move(tasks));
}

asio::awaitable<void> engine::impl::consume() {
    for (;;) {
        auto event = co_await ports.reader.next();
        if (const auto* read = std::get_if<fetched>(&event)) {
            take(*read);
        } else if (auto* gained = std::get_if<kafka::assigned>(&event)) {
            auto which = std::move(gained->partitions);
            co_await ownership.take_over(std::move(which));
        } else if (auto* gone = std::get_if<kafka::revoked>(&event)) {
            auto which = std::move(*gone);
            co_await ownership.give_up(std::move(which));
        } else {
            co_return;
        }
        feeder.feed();
    }
}

void engine::impl::take(const fetched& batch) {
    std::map<kafka::topic_partition, std::vector<item>> inherited;
    for (const auto& record : batch.records) {
        const auto source = partitions.find(*record.from);
        if (!source || !source->ours()) {
            continue;
        }
        const auto arrival = source->window.arrived(record.at);
        if (arrival == window::arrival::inherited) {
            inherited[*record.from].push_back(read(record, ports.clock));
        } else if (arrival == window::arrival::fresh) {
            partitions.enqueue(*source, read(record, ports.clock));
        }
    }
    for (auto& [at, items] : inherited) {
        ownership.inherited(partitions.find(at), std::move(items));
    }
    for (const auto& [at, next] : batch.passed) {
        if (const auto source = partitions.find(at); source && source->ours()) {
            source->window.passed(next);
        }
    }
}

asio::awaitable<void> engine::impl::commit_loop() {
    auto& clock = ports.clock;
    for (;;) {
        const auto hurried = [this] { return outbox.hurried(); };
        co_await until(clock, clock.now() + options.commit_every * 3 / 4, hurried, outbox.pressed);
        const auto began = clock.now();
        if (!co_await transactions.commit()) {
            co_await pause(clock, partitions.all().empty() ? 100ms : patience.failed());
            continue;
        }
        patience.committed();
        feeder.feed();
        // Transactions are paid by the commit, not by the record: let some gather.
        if (const auto used = clock.now() - began; used < options.commit_every / 4) {
            co_await pause(clock, options.commit_every / 4 - used);
        }
    }
}

/// A host that reaches Kafka and cannot send all the same: it does not reach Redis, or its clock is wrong.
bool engine::impl::is_cut_off() {
    if (ports.store.trouble().empty() && !ports.clock.time().differs) {
        held_up_since.reset();
        return false;
    }
    const auto now = ports.clock.now();
    held_up_since = held_up_since.value_or(now);
    return now - *held_up_since >= options.cut_off_after;
}

asio::awaitable<void> engine::impl::tick() {
    for (;;) {
        co_await pause(ports.clock, 100ms);
        if (is_cut_off()) {
            cut_off = true;
            log.warn("engine.cut_off",
                     {{"redis", ports.store.trouble()}, {"clock_is_wrong", ports.clock.time().differs}});
            co_return;
        }
        outcomes.settle_overdue(ports.clock.now() - options.awaiting_after, false);
        find_forgotten();
        parking.send_round();
        show();
        feeder.feed(); // a retry came due, the pause of a breaker is over
    }
}

/// Partitions whose claims Redis has lost, or that another process owns.
void engine::impl::find_forgotten() {
    auto& redis = ports.store;
    for (const auto& p : std::vector{partitions.all()}) {
        if (p->is_open() && redis.trouble().empty() && p->title.head.server != redis.identity()) {
            ownership.start_rebuild(p); // another server, or one that came back from its file
        }
        if (const auto since = p->lost_since(); since && ports.clock.now() - *since > 30s) {
            throw std::runtime_error{
                "partition " + std::to_string(p->at.partition) + " of " + p->at.topic +
                " is ours by the group and another's by its owner number; is a process of another installation "
                "using this Redis? Starting anew"};
        }
    }
}

void engine::impl::show() {
    std::size_t in_memory = 0;
    std::size_t reserved = 0;
    for (const auto& p : partitions.all()) {
        in_memory += p->waiting.items.size();
        reserved += p->window.reserved();
    }
    count.flight.set(static_cast<double>(outcomes.in_flight()));
    count.partitions.set(static_cast<double>(partitions.all().size()));
    count.fetched.set(static_cast<double>(in_memory));
    count.reserved.set(static_cast<double>(reserved));
    count.started.set(static_cast<double>(feeder.started()));
    count.lanes.show(lanes.names(), lanes.troubles());
}

asio::awaitable<bool> engine::impl::drain(std::chrono::milliseconds patience) {
    auto& clock = ports.clock;
    feeder.stop();
    transactions.stop_reserving();
    SEMEL_FAILPOINT("delivery.drain.begun");
    ownership.stop();
    const auto last = clock.now() + patience;
    const auto at_rest = [&] {
        const auto reads = ports.store.trouble().empty(); // the claims of an owner before us, which are worth knowing
        return std::ranges::none_of(
            partitions.all(), [&](const auto& p) { return p->load.active > 0 || (reads && p->load.deciding > 0); });
    };
    while (!at_rest() && clock.now() < last) {
        const auto next = std::min(last, clock.now() + 100ms);
        co_await until(clock, next, at_rest, partitions.work_ended);
        co_await transactions.commit(); // stale claims of a partition may wait for a rebuild's commit
    }
    const auto out = outcomes.in_flight();
    outcomes.settle_at_end();
    for (const auto& p : partitions.all()) {
        give_back(p);
    }
    const bool committed = co_await transactions.commit_within(4s);
    SEMEL_FAILPOINT("delivery.drain.committed");
    log.info("engine.drained", {{"clean", out == 0 && committed}, {"still_out", out}});
    co_await leave();
    co_return out == 0 && committed;
}

asio::awaitable<void> engine::impl::leave() {
    gate.cancel_all();
    co_await gate.close(1s);
    co_await ports.reader.close();
    if (cut_off) { // a static member's partitions wait for it otherwise
        if (const auto left = co_await ports.reader.leave(); !left) {
            log.warn("group.not_left",
                     {{"why", left.error().why()}, {"then", "others take over once the session has ended"}});
        }
    }
    for (auto& l : lanes.all()) {
        co_await l.gateway->close();
    }
}

/// What is reserved and waits here is certainly not sent. It goes to retry.*, so that the range is empty: whoever comes
/// next need not ask Redis, which may have lost its claims by then. Not by a wrong clock: Kafka refuses a transaction
/// with records of tomorrow, and what was answered is in the same one.
void engine::impl::give_back(const partition_ptr& p) {
    if (ports.clock.time().differs) {
        return;
    }
    for (const auto& i : std::exchange(p->waiting.items, {})) {
        if (!p->window.sendable(i.at)) {
            continue;
        }
        if (i.unreadable.empty()) {
            outcomes.settle(p, i, postponed(0ms, codes::stopped));
        } else {
            outcomes.bury(p, i, i.unreadable);
        }
    }
}

engine::engine(asio::any_io_executor ex, engine_options o, const ports& p, std::vector<lane_config> lanes,
               telemetry::metrics& m, telemetry::logger& l)
    : impl_(std::make_shared<impl>(std::move(ex), std::move(o), p, std::move(lanes), m, l)) {}
engine::~engine() {
    impl_->ports.tokens.abandon(); // those that wait hold the engine
}

asio::awaitable<void> engine::run() {
    // The gateways live longer than the cancelled run(): what is out is answered while draining.
    for (auto& l : impl_->lanes.all()) {
        impl_->gate.spawn("gateway " + l.name(), l.gateway->run());
    }
    co_await impl_->run();
}

std::vector<trouble::entry> engine::troubles() const {
    return impl_->lanes.troubles();
}

std::vector<kafka::start> engine::settled(std::string_view topics) const {
    const auto prefix = impl_->options.prefix + std::string{topics};
    std::vector<kafka::start> out;
    for (const auto& p : impl_->partitions.all()) {
        if (p->is_open() && p->at.topic.starts_with(prefix)) {
            out.push_back({.at = p->at, .next = p->window.committed_next()});
        }
    }
    return out;
}

asio::awaitable<bool> engine::drain(std::chrono::milliseconds deadline) {
    return impl_->drain(deadline);
}

bool engine::cut_off() const noexcept {
    return impl_->cut_off;
}

} // namespace semel::delivery
