#include "engine_impl.hpp"

#include <base/codes.hpp>
#include <failpoint/failpoint.hpp>
#include <kafka/leave_group.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

std::vector<std::string> topics_of(const engine_options& o) {
    std::vector<std::string> topics{o.prefix + wire::dispatch(o.channel)};
    for (std::size_t tier = 0; tier < wire::tiers.size(); ++tier) {
        topics.push_back(o.prefix + wire::retry(o.channel, tier));
    }
    topics.push_back(o.prefix + wire::parked(o.channel));
    return topics;
}

kafka::consumer_options consumer_options(const engine_options& o) {
    return {.bootstrap = o.bootstrap,
            .group = o.prefix + std::string{base::to_string(o.channel)},
            .instance = o.instance,
            .topics = topics_of(o),
            .session_timeout = o.session_timeout,
            .prefetch_kib = 1'024}; // pausing a partition throws its prefetched records away
}

} // namespace

engine::impl::impl(asio::any_io_executor ex, engine_options o, catalog::catalog& c, redis::client& r,
                   std::vector<lane_config> configs, telemetry::metrics& metrics, telemetry::logger& logger)
    : executor(ex)
    , options(std::move(o))
    , catalog(c)
    , redis(r)
    , log(logger)
    , rates(ex, r)
    , consumer(ex, consumer_options(options))
    , producer(ex, {.bootstrap = options.bootstrap, .transactional_id = options.instance})
    , gate(ex)
    , wake(ex)
    , moved(ex)
    , last_committed(steady::now())
    , count{.accepted = metrics.make_counter("semel_delivery_accepted_total", "Messages a gateway accepted"),
            .failed = metrics.make_counter("semel_delivery_failed_total", "Notifications that failed for good"),
            .deferred = metrics.make_counter("semel_delivery_deferred_total", "Records put to retry.*"),
            .in_doubt = metrics.make_counter("semel_delivery_in_doubt_total", "Sends whose outcome is not known"),
            .awaiting = metrics.make_counter("semel_delivery_awaiting_total", "Sends settled before their answer"),
            .commits = metrics.make_counter("semel_delivery_commits_total", "Kafka transactions committed"),
            .commit_failures = metrics.make_counter("semel_delivery_commit_failures_total",
                                                    "Kafka transactions aborted or of unknown outcome"),
            .rebuilds = metrics.make_counter("semel_delivery_redis_rebuilds_total",
                                             "Times that the claims of a partition were written anew"),
            .dead_letters = metrics.make_counter("semel_delivery_dead_letters_total", "Records that could not be read"),
            .flight = metrics.make_gauge("semel_delivery_flight", "Messages whose last bytes are out, unanswered"),
            .window =
                metrics.make_gauge("semel_delivery_window", "The most that may be out unanswered: the bound on doubt"),
            .partitions = metrics.make_gauge("semel_delivery_partitions", "Partitions this process owns"),
            .fetched = metrics.make_gauge("semel_delivery_fetched", "Records in memory that are not started"),
            .reserved = metrics.make_gauge("semel_delivery_reserved", "Records reserved in Kafka that are not settled"),
            .started = metrics.make_gauge("semel_delivery_started", "Messages on their way through this process"),
            .commit_seconds = metrics.make_histogram("semel_delivery_commit_seconds", "Duration of a transaction", {},
                                                     {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5})} {
    std::size_t bound = 0;
    for (auto& config : configs) {
        lane l;
        l.gateway = std::move(config.gateway);
        l.bucket = fmt::format("{}gateway:{}:{}", options.prefix, base::to_string(options.channel), l.gateway->name());
        l.per_second = config.limit.per_second;
        for (const auto& [domain, limit] : config.domains) {
            l.domains.emplace(domain, limit.per_second);
        }
        // A few more than the window keep every session busy; under a slow rate half a second's worth wait for tokens.
        const auto busy = static_cast<double>(l.gateway->window() + l.gateway->window() / 4 + 2);
        l.busy_at = static_cast<std::size_t>(l.per_second > 0 ? std::clamp(l.per_second / 2, 2.0, busy) : busy);
        most_active += l.busy_at;
        bound += l.gateway->window();
        lanes.push_back(std::move(l));
    }
    // Behind a lane at its limit messages wait for a moment, and must not keep those of other lanes from being read.
    most_active = std::clamp<std::size_t>(lanes.size() > 1 ? 2 * most_active : most_active, 2, 4'096);
    count.window.set(static_cast<double>(bound));
}

asio::awaitable<void> engine::impl::run() {
    co_await catalog.loaded();
    co_await redis.connected();
    co_await producer.init();
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(consume());
    tasks.push_back(commit_loop());
    tasks.push_back(tick());
    co_await runtime::first_of(std::move(tasks));
}

asio::awaitable<void> engine::impl::consume() {
    for (;;) {
        auto event = co_await consumer.next();
        if (auto* fetched = std::get_if<kafka::records>(&event)) {
            on_records(fetched->batch);
            for (const auto& [at, next] : fetched->passed) {
                if (const auto source = find(at); source && source->ours()) {
                    source->window.passed(next);
                }
            }
        } else if (auto* gained = std::get_if<kafka::assigned>(&event)) {
            auto which = std::move(gained->partitions);
            co_await take_over(std::move(which));
        } else if (auto* gone = std::get_if<kafka::revoked>(&event)) {
            auto which = std::move(*gone);
            co_await give_up(std::move(which));
        } else {
            co_return;
        }
        feed();
    }
}

void engine::impl::on_records(const std::vector<kafka::record>& batch) {
    std::map<kafka::topic_partition, std::vector<item>> inherited;
    for (const auto& record : batch) {
        const auto source = find(record.at());
        if (!source || !source->ours()) {
            continue;
        }
        const auto arrival = source->window.arrived(record.offset());
        if (arrival == window::arrival::done) {
            continue;
        }
        item i{.at = record.offset(), .dispatch = {}};
        const bool parsed = i.dispatch.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()));
        if (!parsed) {
            i.dispatch.Clear(); // of a half-read one, not even the names can be told
        }
        if (!parsed || i.dispatch.notification().size() != 32 || i.dispatch.attempt() == 0) {
            i.unreadable = "the record is not a Dispatch";
            i.raw = record.value();
        }
        i.due = base::instant_now() + wait_left(record.at().topic, i.dispatch, options.time().best);
        if (arrival == window::arrival::inherited) {
            inherited[record.at()].push_back(std::move(i));
        } else {
            enqueue(*source, std::move(i));
        }
    }
    for (auto& [at, items] : inherited) {
        const auto source = find(at);
        ++source->deciding;
        if (!gate.spawn("inherited", decide_inherited(source, std::move(items)))) {
            --source->deciding;
        }
    }
}

void engine::impl::enqueue(partition& p, item i) {
    // At the end, but for what was inherited, or given back.
    const auto place = p.queue.empty() || p.queue.back().at < i.at
                           ? p.queue.end()
                           : std::ranges::lower_bound(p.queue, i.at, {}, &item::at);
    p.queue.insert(place, std::move(i));
    balance_fetching(p);
}

void engine::impl::balance_fetching(partition& p) {
    const bool full = p.queue.size() >= options.fetched;
    if (full && !p.paused) {
        consumer.pause(std::span{&p.at, 1});
        p.paused = true;
    } else if (p.paused && p.queue.size() < options.fetched / 2) {
        consumer.resume(std::span{&p.at, 1});
        p.paused = false;
    }
}

bool engine::impl::next_of(partition& p, base::instant now, item& out) {
    if (p.state != partition::phase::open || p.queue.empty() || !p.window.sendable(p.queue.front().at) ||
        p.queue.front().due > now || left_lying(p.queue.front().dispatch, now) || stays_parked(p, p.queue.front())) {
        return false;
    }
    out = std::move(p.queue.front());
    p.queue.pop_front();
    balance_fetching(p);
    return true;
}

void engine::impl::feed() {
    const auto now = base::instant_now();
    // While every lane is shut, records stay where they are instead of going round through retry.*; while Redis is
    // away, or the time is not certain, sending pauses.
    const auto any_lane = [&] { return std::ranges::any_of(lanes, [&](const lane& l) { return l.takes(now); }); };
    // A delivery that ends at once feeds again from inside spawn(): one loop, not one stack frame for each record.
    if (inside_feed || !feeding || !redis.trouble().empty() || !options.time().certain) {
        return;
    }
    inside_feed = true;
    for (std::size_t idle = 0; active < most_active && idle < order.size() && any_lane();) {
        last_fed = (last_fed + 1) % order.size();
        const auto source = order[last_fed];
        item next;
        if (!next_of(*source, now, next)) {
            ++idle;
            continue;
        }
        idle = 0;
        ++active;
        ++source->active;
        if (!gate.spawn("deliver", deliver(source, std::move(next)))) {
            --active;
            --source->active;
            break;
        }
    }
    inside_feed = false;
    const auto exhausted = [&](const partition_ptr& p) {
        return p->state == partition::phase::open && !p->queue.empty() && p->queue.front().due <= now &&
               !p->window.sendable(p->queue.front().at) && !stays_parked(*p, p->queue.front());
    };
    if (active < most_active && std::ranges::any_of(order, exhausted)) {
        wake.notify(); // only a commit reserves more
    }
}

asio::awaitable<void> engine::impl::commit_loop() {
    for (;;) {
        const bool woken = co_await wake.wait_for(options.commit_every * 3 / 4);
        std::ignore = woken;
        const auto began = steady::now();
        if (!co_await commit_once()) {
            co_await runtime::sleep(100ms);
            if (steady::now() - last_committed > 60s && !order.empty()) {
                throw std::runtime_error{"no transaction has been committed for a minute; is Kafka well? Starting "
                                         "anew: nothing is lost, the range says what was out"};
            }
            continue;
        }
        feed();
        // Transactions are paid by the commit, not by the record: let some gather.
        if (const auto used = steady::now() - began; used < options.commit_every / 4) {
            co_await runtime::sleep(
                std::chrono::duration_cast<std::chrono::milliseconds>(options.commit_every / 4 - used));
        }
    }
}

/// A host that reaches Kafka and cannot send all the same: it does not reach Redis, or its clock is wrong.
bool engine::impl::is_cut_off() {
    if (redis.trouble().empty() && !options.time().differs) {
        held_up_since.reset();
        return false;
    }
    const auto now = steady::now();
    held_up_since = held_up_since.value_or(now);
    return now - *held_up_since >= options.cut_off_after;
}

asio::awaitable<void> engine::impl::tick() {
    while (co_await runtime::sleep(100ms)) {
        if (is_cut_off()) {
            cut_off = true;
            log.warn("engine.cut_off", {{"redis", redis.trouble()}, {"clock_is_wrong", options.time().differs}});
            co_return;
        }
        settle_overdue(steady::now() - options.awaiting_after, false);
        for (const auto& p : std::vector{order}) {
            if (p->state == partition::phase::open && redis.trouble().empty() && p->head.server != redis.identity()) {
                start_rebuild(p); // another server, or one that came back from its file
            }
            if (p->lost() && steady::now() - p->lost_at > 30s) {
                throw std::runtime_error{
                    "partition " + std::to_string(p->at.partition) + " of " + p->at.topic +
                    " is ours by the group and another's by its owner number; is a process of another installation "
                    "using this Redis? Starting anew"};
            }
        }
        send_parked_round();
        count.flight.set(static_cast<double>(flights.size()));
        count.partitions.set(static_cast<double>(order.size()));
        std::size_t fetched = 0;
        std::size_t reserved = 0;
        for (const auto& p : order) {
            fetched += p->queue.size();
            reserved += p->window.reserved();
        }
        count.fetched.set(static_cast<double>(fetched));
        count.reserved.set(static_cast<double>(reserved));
        count.started.set(static_cast<double>(active));
        feed(); // a retry came due, a breaker closed
    }
}

void engine::impl::settle_overdue(steady::time_point since_before, bool closing_only) {
    for (auto& f : flights) {
        const bool due = f.since <= since_before && (!closing_only || f.source->state == partition::phase::closing);
        if (due && !f.awaiting) {
            settle_awaiting(f);
        }
    }
}

partition_ptr engine::impl::find(const kafka::topic_partition& at) const {
    const auto found = partitions.find(at);
    return found == partitions.end() ? nullptr : found->second;
}

asio::awaitable<bool> engine::impl::drain(std::chrono::milliseconds deadline) {
    feeding = false;
    ++assignment; // partitions that are being taken over are not opened any more
    SEMEL_FAILPOINT("delivery.drain.begun");
    for (const auto& p : order) {
        if (p->state == partition::phase::open || p->state == partition::phase::taking_over) {
            p->state = partition::phase::closing; // what has not asked for a claim is the next owner's
        }
    }
    const auto end = steady::now() + deadline;
    const auto busy = [&] {
        const auto reads = redis.trouble().empty(); // the claims of an owner before us, which are worth knowing
        return std::ranges::any_of(order, [&](const auto& p) { return p->active > 0 || (reads && p->deciding > 0); });
    };
    while (busy() && steady::now() < end) {
        co_await moved.wait_for(100ms);
        co_await commit_once(); // stale claims of a partition may wait for a rebuild's commit
    }
    const auto out = flights.size();
    for (auto& f : flights) {
        settle_at_end(f);
    }
    for (const auto& p : order) {
        give_back(p);
    }
    const bool committed = co_await commit_until(4s);
    SEMEL_FAILPOINT("delivery.drain.committed");
    log.info("engine.drained", {{"clean", out == 0 && committed}, {"still_out", out}});
    gate.cancel_all();
    co_await gate.close(1s);
    co_await consumer.close();
    if (cut_off) { // a static member's partitions wait for it otherwise
        auto group = consumer_options(options).group;
        std::vector<std::string> self{options.instance};
        const auto left = co_await kafka::leave_group(options.bootstrap, std::move(group), std::move(self));
        if (!left) {
            log.warn("group.not_left",
                     {{"why", left.error().why()}, {"then", "others take over once the session has ended"}});
        }
    }
    for (auto& l : lanes) {
        co_await l.gateway->close();
    }
    co_return out == 0 && committed;
}

/// What is reserved and waits here is certainly not sent. It goes to retry.*, so that the range is empty: whoever comes
/// next need not ask Redis, which may have lost its claims by then. Not by a wrong clock: Kafka refuses a transaction
/// with records of tomorrow, and what was answered is in the same one.
void engine::impl::give_back(const partition_ptr& p) {
    if (options.time().differs) {
        return;
    }
    for (const auto& i : std::exchange(p->queue, {})) {
        if (!p->window.sendable(i.at)) {
            continue;
        }
        if (i.unreadable.empty()) {
            settle(p, i, postponed(0ms, codes::stopped));
        } else {
            bury(p, i, i.unreadable);
        }
    }
}

engine::engine(asio::any_io_executor ex, engine_options o, catalog::catalog& c, redis::client& r,
               std::vector<lane_config> lanes, telemetry::metrics& m, telemetry::logger& l)
    : impl_(std::make_shared<impl>(std::move(ex), std::move(o), c, r, std::move(lanes), m, l)) {}
engine::~engine() {
    impl_->rates.abandon(); // those that wait hold the engine
}

asio::awaitable<void> engine::run() {
    // The gateways live longer than the cancelled run(): what is out is answered while draining.
    for (auto& l : impl_->lanes) {
        impl_->gate.spawn("gateway " + l.gateway->name(), l.gateway->run());
    }
    co_await impl_->run();
}

std::vector<trouble::entry> engine::troubles() const {
    return impl_->troubles();
}

std::vector<kafka::start> engine::settled(std::string_view topics) const {
    const auto prefix = impl_->options.prefix + std::string{topics};
    std::vector<kafka::start> out;
    for (const auto& p : impl_->order) {
        if (p->state == partition::phase::open && p->at.topic.starts_with(prefix)) {
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
