// The transaction: what was settled, and what is reserved next, in one commit for each round.

#include "engine_impl.hpp"

#include <failpoint/failpoint.hpp>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t most_reserved = 4'096; // of one partition

kafka::commit to_commit(const partition& p, const range& said) {
    const checkpoint c{.owner = p.owner,
                       .transaction = p.transaction,
                       .marker = p.mark,
                       .range = said,
                       .claims_lost_below = p.claims_lost_below};
    return {.at = p.at, .next = said.next, .metadata = encode(c)};
}

} // namespace

/// Reserves about two commits' worth of what may be sent now. What must still wait (retry.*) is not reserved: it would
/// stay in the range for as long, and be in doubt after a crash together with a Redis loss.
void engine::impl::reserve_due(partition& p, base::instant now) const {
    p.pace = std::max(p.settled_lately, p.pace - p.pace / 4);
    if (p.state != partition::phase::open || !feeding || !options.time().certain) {
        return;
    }
    const auto busy = std::ranges::count_if(order, [](const auto& o) { return !o->queue.empty(); });
    const auto least = 2 * most_active / static_cast<std::size_t>(std::max<std::ptrdiff_t>(busy, 1)) + 1;
    const auto want = std::min(std::max(2 * p.pace, least), most_reserved);
    const auto have = p.window.reserved();
    std::size_t due = 0;
    for (auto it = std::ranges::lower_bound(p.queue, p.window.end(), {}, &item::at);
         it != p.queue.end() && have + due < want && it->due <= now && !stays_parked(p, *it); ++it) {
        ++due;
    }
    p.window.reserve(due);
}

asio::awaitable<bool> engine::impl::commit_until(std::chrono::milliseconds deadline) {
    const auto end = steady::now() + deadline;
    while (!co_await commit_once()) {
        if (steady::now() >= end) {
            co_return false;
        }
        co_await runtime::sleep(50ms);
    }
    co_return true;
}

/// A transaction that has begun is carried to its end under the gate, even if who asked for it is cancelled meanwhile:
/// what it took out of the outbox is either committed or put back.
asio::awaitable<bool> engine::impl::commit_once() {
    while (committing) {
        co_await moved.wait_for(1s);
    }
    committing = true;
    const auto answer = std::make_shared<std::optional<bool>>();
    if (!gate.spawn("commit", commit_now(answer))) {
        committing = false;
        co_return false;
    }
    while (!*answer) {
        co_await moved.wait_for(1s);
    }
    co_return **answer;
}

asio::awaitable<void> engine::impl::commit_now(std::shared_ptr<std::optional<bool>> answer) {
    // The events and the ranges are taken in one breath: a record is settled in Kafka only together with its event.
    keep_evidence_only_of_lost(outbox);
    auto batch = std::exchange(outbox, {});
    std::vector<partition_ptr> said_by;
    std::vector<range> said;
    std::vector<marker> said_under;
    std::vector<kafka::commit> offsets;
    const auto now = base::instant_now();
    for (const auto& p : order) {
        if (p->lost()) {
            continue;
        }
        reserve_due(*p, now);
        p->settled_lately = 0;
        if (!p->window.dirty() && !p->must_commit) {
            continue;
        }
        ++p->transaction;
        said.push_back(p->window.propose());
        said_under.push_back(p->mark);
        offsets.push_back(to_commit(*p, said.back()));
        said_by.push_back(p);
    }
    const auto ended = [&](bool well) {
        if (well) {
            last_committed = steady::now();
        }
        committing = false;
        *answer = well;
        moved.notify();
    };
    if (batch.empty() && offsets.empty()) {
        ended(true);
        co_return;
    }

    const auto began = steady::now();
    auto result = co_await try_commit(batch, std::move(offsets));
    SEMEL_FAILPOINT("delivery.commit.answered");
    if (result.outcome == kafka::outcome::unknown) {
        count.commit_failures.add();
        log.warn("transaction.unknown", {{"why", result.why}});
        SEMEL_FAILPOINT("delivery.commit.unknown");
        // Whatever the old producer had in flight is decided once its successor has started; then Kafka says which.
        co_await producer.rebuild();
        SEMEL_FAILPOINT("delivery.commit.rebuilt");
        result.outcome = co_await read_back(said_by) ? kafka::outcome::committed : kafka::outcome::aborted;
        SEMEL_FAILPOINT("delivery.commit.read_back");
    }
    if (result.outcome != kafka::outcome::committed) {
        count.commit_failures.add();
        log.warn("transaction.not_committed", {{"why", result.why}});
        for (const auto& p : said_by) {
            p->must_commit = true;
        }
        outbox.insert(outbox.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
        ended(false);
        co_return;
    }
    count.commits.add();
    count.commit_seconds.observe(std::chrono::duration<double>(steady::now() - began).count());
    for (std::size_t i = 0; i < said_by.size(); ++i) {
        auto& p = *said_by[i];
        if (said_under[i] == p.mark) {
            p.must_commit = false; // a marker that changed meanwhile has yet to be committed
        }
        p.window.committed(said[i]);
        p.open_claims.erase(p.open_claims.begin(), p.open_claims.lower_bound(said[i].next));
        SEMEL_FAILPOINT("delivery.commit.known");
        // Not before the commit is known: a block is the only memory of what the range does not settle.
        p.claims.drop_below(said[i].next);
        SEMEL_FAILPOINT("delivery.commit.dropped");
    }
    ended(true);
}

asio::awaitable<kafka::commit_result> engine::impl::try_commit(const std::vector<outgoing>& batch,
                                                               std::vector<kafka::commit> offsets) {
    producer.begin();
    SEMEL_FAILPOINT("delivery.commit.begun");
    wire::event_batches events{options.partitions};
    for (const auto& out : batch) {
        if (out.event.kind() != v1::EVENT_KIND_UNSPECIFIED) {
            events.add(out.event);
        }
    }
    for (const auto& record : events.take()) {
        kafka::topic_partition to{.topic = options.prefix + std::string{wire::events}, .partition = record.partition};
        co_await producer.produce(std::move(to), {}, record.value);
    }
    for (const auto& out : batch) {
        if (!out.to.topic.empty()) {
            co_await producer.produce(out.to, out.key, out.record);
        }
    }
    SEMEL_FAILPOINT("delivery.commit.produced");
    co_return co_await producer.commit(std::move(offsets), membership);
}

asio::awaitable<bool> engine::impl::read_back(const std::vector<partition_ptr>& said_by) {
    std::vector<kafka::topic_partition> ask;
    for (const auto& p : said_by) {
        ask.push_back(p->at);
    }
    if (ask.empty()) {
        co_return false; // events only: their ids make a repetition harmless
    }
    for (;;) {
        auto which = ask;
        const auto committed = co_await consumer.committed(std::move(which));
        if (!committed) {
            log.warn("offsets.not_read", {{"why", committed.error().why()}});
            co_await runtime::sleep(200ms);
            continue;
        }
        // All or none: one transaction. Any partition that nobody took over meanwhile tells which.
        std::optional<bool> ours;
        for (const auto& c : *committed) {
            const auto checkpoint = decode_checkpoint(c.next, c.metadata);
            const auto p = std::ranges::find(said_by, c.at, [](const auto& q) { return q->at; });
            if (!checkpoint || p == said_by.end()) {
                continue;
            }
            if (checkpoint->owner == (*p)->owner) {
                ours = checkpoint->transaction == (*p)->transaction;
            } else if (checkpoint->owner > (*p)->owner) {
                lose(**p, "another owner has committed since");
            }
        }
        // Nobody to ask: only evidence is told again, and that is recognised by its ids. But on the first commit of a
        // new owner the one before us may still stand there: then ours did not arrive.
        co_return ours.value_or(false);
    }
}

} // namespace semel::delivery
