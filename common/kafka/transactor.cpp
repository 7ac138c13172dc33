// The loop that hears what the group decides, and calls the tenant.

#include "transactor.hpp"

#include "transactor_impl.hpp"

#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace semel::kafka {

using namespace std::chrono_literals;

namespace {

consumer_options consuming(const transactor_options& o) {
    return {.bootstrap = o.bootstrap,
            .group = o.group,
            .instance = o.instance,
            .topics = o.topics,
            .session_timeout = o.session_timeout,
            .batch = o.batch,
            .prefetch_kib = o.prefetch_kib,
            .tell_ends = o.tell_ends};
}

positions as_positions(const std::vector<kafka::commit>& committed) {
    positions out;
    for (const auto& c : committed) {
        out[c.at] = {c.next, c.metadata};
    }
    return out;
}

asio::awaitable<void> for_ever() {
    co_await runtime::sleep(std::chrono::hours{24 * 365});
}

} // namespace

bool tenure::owns(const topic_partition& at) const {
    return std::ranges::binary_search(partitions_, at);
}

std::vector<start> tenure::starts() const {
    std::vector<start> out;
    for (const auto& at : partitions_) {
        const auto stands = committed_.find(at);
        out.push_back({.at = at, .next = stands == committed_.end() ? 0 : stands->second.next});
    }
    return out;
}

transactor::impl::impl(asio::any_io_executor ex, transactor_options o)
    : options(std::move(o))
    , producer(ex, {.bootstrap = options.bootstrap,
                    .transactional_id = options.transactional_id,
                    .transaction_timeout = options.transaction_timeout})
    , consumer(ex, consuming(options))
    , turns(ex)
    , watched(std::make_shared<watch>(ex))
    , changed(watched->changed)
    , patience("group " + options.group, {.whole = options.stall_after}) {}

asio::awaitable<void> transactor::impl::run(tenant& who, asio::awaitable<void> stop) {
    co_await runtime::race(serve(who), until_stopped(std::move(stop)));
    if (now) {
        co_await end(who, false);
    }
    if (unanswered) { // librdkafka cannot leave the group before it has its answer
        consumer.release({});
    }
    co_await consumer.close();
}

asio::awaitable<void> transactor::impl::until_stopped(asio::awaitable<void> stop) {
    co_await std::move(stop);
    stopping = true;
    if (now) {
        now->ending_ = true;
        changed.notify();
    }
    const auto until = steady::now() + options.drain;
    while (watched->handling && steady::now() < until) {
        co_await changed.wait_for(left_until(until));
    }
}

asio::awaitable<void> transactor::impl::serve(tenant& who) {
    struct busy {
        std::shared_ptr<watch> of;
        explicit busy(std::shared_ptr<watch> w)
            : of(std::move(w)) {
            of->handling = true;
        }
        ~busy() {
            of->handling = false;
            of->changed.notify();
        }
        busy(const busy&) = delete;
    };
    co_await producer.init();
    for (;;) {
        auto happened = co_await next();
        if (stopping) {
            co_return;
        }
        const busy here{watched};
        if (!happened) {
            co_await take_again(who);
        } else if (std::holds_alternative<stopped>(*happened)) {
            co_return;
        } else {
            co_await answer(who, std::move(*happened));
        }
    }
}

asio::awaitable<void> transactor::impl::answer(tenant& who, event happened) {
    if (auto* fetched = std::get_if<records>(&happened)) {
        if (now && !now->over_) {
            co_await read(who, std::move(*fetched));
        }
    } else if (auto* given = std::get_if<assigned>(&happened)) {
        co_await take(who, std::move(given->partitions));
    } else if (auto* gone = std::get_if<revoked>(&happened)) {
        co_await end(who, gone->lost);
        consumer.release(*gone);
        unanswered = false;
        telemetry::log().info(
            "partitions.given_up",
            {{"group", options.group}, {"partitions", gone->partitions.size()}, {"lost", gone->lost}});
    }
}

asio::awaitable<void> transactor::impl::read(tenant& who, records fetched) {
    co_await runtime::race(who.read(now, std::move(fetched)), listen());
    if (std::exchange(held_back, false) && now) {
        fetch_or_not();
    }
}

/// While the tenant is long in read(), for PostgreSQL say: no more records, and what the group decides is heard. One
/// process that waits would hold up all others of its group. Does not end: read() does.
asio::awaitable<void> transactor::impl::listen() {
    if (!co_await runtime::sleep(options.long_read)) {
        co_return;
    }
    held_back = true;
    consumer.pause(now->partitions_); // what was fetched of them and not given away is fetched again
    while (!unanswered) {
        heard.push_back(co_await consumer.next());
        hear(heard.back());
    }
    co_await cut_off(now);
}

void transactor::impl::hear(const event& happened) {
    const auto* gone = std::get_if<revoked>(&happened);
    unanswered = gone != nullptr || std::holds_alternative<assigned>(happened);
    if (unanswered && now) {
        now->ending_ = true;
        now->over_ = now->over_ || (gone != nullptr && gone->lost);
        changed.notify();
    }
}

/// Nothing: the present partitions are to be taken once more.
asio::awaitable<std::optional<event>> transactor::impl::next() {
    std::optional<event> happened;
    if (!heard.empty()) {
        happened = std::move(heard.front());
        heard.pop_front();
        co_return happened;
    }
    const auto listening = [](impl& self, std::optional<event>& into) -> asio::awaitable<void> {
        into = co_await self.consumer.next();
        self.hear(*into);
    };
    co_await runtime::race(listening(*this, happened), until_again());
    co_return happened;
}

asio::awaitable<void> transactor::impl::until_again() {
    while (!take_anew) {
        if (!lapsed_at) {
            co_await changed.wait();
        } else if (const auto left = left_until(*lapsed_at + options.stall_after); left > 0ms) {
            co_await changed.wait_for(left);
        } else {
            throw std::runtime_error{fmt::format("group {} has given our partitions away and does not say so; "
                                                 "starting anew",
                                                 options.group)};
        }
    }
}

asio::awaitable<mutable_tenure> transactor::impl::make_tenure(std::vector<topic_partition> given,
                                                              std::shared_ptr<const membership> as) {
    auto fresh = std::make_shared<tenure>();
    fresh->partitions_ = given;
    std::ranges::sort(fresh->partitions_);
    fresh->as_ = std::move(as);
    if (undecided && !turns.locked()) { // whoever holds the turn is about it
        const auto turn = co_await turns.lock();
        co_await producer.rebuild();
        undecided = false;
    }
    if (!options.positions_elsewhere) {
        // Answers only when no transaction of a former owner is undecided.
        fresh->committed_ = as_positions(co_await stands(std::move(given)));
    }
    fresh->ending_ = stopping;
    patience.committed();
    co_return fresh;
}

asio::awaitable<void> transactor::impl::take(tenant& who, std::vector<topic_partition> given) {
    auto as = consumer.current_membership(); // before anything is awaited
    if (now) {
        co_await end(who, true);
    }
    if (given.empty()) {
        consumer.begin({});
        unanswered = false;
        co_return;
    }
    const auto count = given.size();
    now = co_await make_tenure(std::move(given), std::move(as));
    consumer.begin(co_await who.take(now));
    unanswered = false;
    fetch_or_not();
    telemetry::log().info("partitions.taken", {{"group", options.group}, {"partitions", count}});
}

asio::awaitable<void> transactor::impl::take_again(tenant& who) {
    take_anew = false;
    if (!now || now->ending_) {
        co_return;
    }
    const auto before = now;
    co_await end(who, true);
    now = co_await make_tenure(before->partitions_, before->as_);
    for (const auto& [at, next] : co_await who.take(now)) {
        consumer.seek(at, next);
    }
    fetch_or_not();
    telemetry::log().warn("partitions.taken_again",
                          {{"group", options.group}, {"partitions", now->partitions_.size()}});
}

/// Whatever was fetched or not before.
void transactor::impl::fetch_or_not() {
    if (!options.reads) {
        consumer.pause(now->partitions_);
        return;
    }
    auto which = now->partitions_;
    std::erase_if(which, [this](const topic_partition& at) { return paused.contains(at); });
    consumer.resume(which);
}

void transactor::impl::seek(const topic_partition& at, offset next) {
    consumer.seek(at, next);
    for (auto& one : heard) { // after the seek nothing comes that was fetched before it
        if (auto* fetched = std::get_if<records>(&one)) {
            std::erase_if(fetched->batch, [&](const record& r) { return r.at() == at; });
            std::erase(fetched->ended, at);
            std::erase_if(fetched->passed, [&](const start& s) { return s.at == at; });
        }
    }
}

void transactor::impl::pause(const topic_partition& at) {
    paused.insert(at);
    consumer.pause(std::span{&at, 1});
}

void transactor::impl::resume(const topic_partition& at) {
    paused.erase(at);
    if (!held_back) {
        consumer.resume(std::span{&at, 1});
    }
}

/// `lost`: nothing may be committed any more.
asio::awaitable<void> transactor::impl::end(tenant& who, bool lost) {
    const auto gone = now;
    gone->ending_ = true;
    gone->over_ = gone->over_ || lost;
    changed.notify();
    co_await runtime::race(who.leave(gone), cut_off(gone));
    gone->over_ = true;
    // A transaction under way is carried to its end, so that the next owner does not have to wait for its timeout.
    // Later than this its commit is refused: it is of a generation that is past.
    std::optional<runtime::mutex::hold> turn;
    const auto wait = [](runtime::mutex& m, std::optional<runtime::mutex::hold>& into) -> asio::awaitable<void> {
        into.emplace(co_await m.lock());
    };
    const auto give_up = [](std::chrono::milliseconds after) -> asio::awaitable<void> {
        co_await runtime::sleep(after);
    };
    co_await runtime::race(wait(turns, turn), give_up(options.drain));
    if (turn && producer.in_transaction()) {
        co_await producer.abort();
    }
    now.reset();
    paused.clear();
    take_anew = false;
    lapsed_at.reset();
}

asio::awaitable<void> transactor::impl::cut_off(mutable_tenure gone) {
    if (!co_await runtime::sleep(options.drain)) {
        co_return;
    }
    telemetry::log().warn("partitions.left_late", {{"group", options.group}});
    gone->over_ = true; // the group waits for the tenant, and for no commit of it
    if (stopping) {
        co_return; // nobody waits for it any more
    }
    co_await for_ever();
}

transactor::transactor(asio::any_io_executor executor, transactor_options options)
    : impl_(std::make_unique<impl>(std::move(executor), std::move(options))) {}

transactor::~transactor() = default;

asio::awaitable<void> transactor::run(tenant& who, asio::awaitable<void> stop) {
    return impl_->run(who, std::move(stop));
}

void transactor::again(const tenure_ptr& of) {
    impl_->begin_again(of);
}

void transactor::seek(const tenure_ptr& of, const topic_partition& at, offset next) {
    if (impl_->is_present(of)) {
        impl_->seek(at, next);
    }
}

void transactor::pause(const tenure_ptr& of, const topic_partition& at) {
    if (impl_->is_present(of)) {
        impl_->pause(at);
    }
}

void transactor::resume(const tenure_ptr& of, const topic_partition& at) {
    if (impl_->is_present(of)) {
        impl_->resume(at);
    }
}

std::optional<offset> transactor::end_read(const topic_partition& at) const {
    return impl_->consumer.end_read(at);
}

asio::awaitable<base::result<std::pair<offset, offset>>> transactor::watermarks(topic_partition at) {
    return impl_->consumer.watermarks(std::move(at));
}

} // namespace semel::kafka
