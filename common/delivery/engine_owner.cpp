// Who owns a partition, and what Kafka and Redis are told about it. The order of the steps is the proof; each says
// what would go wrong otherwise.

#include "engine_impl.hpp"

#include <crypto/seal.hpp>
#include <wire/topics.hpp>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

marker new_marker() {
    return base::as_array<16>(crypto::random_bytes(16)).value();
}

kafka::commit to_commit(const partition& p, const range& said) {
    const checkpoint c{.owner = p.owner, .transaction = p.transaction, .marker = p.mark, .range = said};
    return {.at = p.at, .next = said.next, .metadata = encode(c)};
}

} // namespace

asio::awaitable<void> engine::impl::take_over(std::vector<kafka::topic_partition> gained) {
    // Once, at assignment: Kafka would accept offsets of partitions that are no longer ours under fresh metadata.
    membership = consumer.current_membership();
    if (gained.empty()) {
        consumer.begin({});
        co_return;
    }
    auto committed = co_await consumer.committed(std::move(gained));
    if (!committed) {
        throw std::runtime_error{"cannot read the committed offsets: " + committed.error().why()};
    }
    std::vector<kafka::start> starts;
    for (const auto& commit : *committed) {
        const auto said = decode_checkpoint(commit.next, commit.metadata);
        if (!said) {
            throw std::runtime_error{"partition " + std::to_string(commit.at.partition) + " of " + commit.at.topic +
                                     ": " + said.error().why()};
        }
        auto p = std::make_shared<partition>(executor, redis, commit.at, *said);
        p->must_commit = true;
        partitions[commit.at] = p;
        starts.push_back({.at = commit.at, .next = commit.next});
    }
    order.clear();
    for (const auto& [at, p] : partitions) {
        order.push_back(p);
    }

    // 1. The range unchanged, under the next owner number: from here on the former owner's commits are refused or
    //    overtaken, and nobody else can believe that it owns the range.
    if (!co_await commit_until(20s)) {
        throw std::runtime_error{"taking over partitions: the first commit does not succeed; starting anew"};
    }
    // 2. Raise the heads in Redis: from here on the former owner claims nothing.
    for (const auto& p : order) {
        if (p->state == partition::phase::taking_over && !co_await take_over_one(p)) {
            p->state = partition::phase::lost;
        }
    }
    // 3. A successful commit of this generation after any write of a head: had we lost the group meanwhile, our head
    //    would stand but we could not claim under it.
    if (!co_await commit_until(20s)) {
        throw std::runtime_error{"taking over partitions: the second commit does not succeed; starting anew"};
    }
    // 4. Only now read and claim.
    for (const auto& p : order) {
        if (p->state == partition::phase::taking_over) {
            open(*p);
        }
    }
    consumer.begin(starts);
    log.info("took over", {{"partitions", order.size()}});
}

void engine::impl::open(partition& p) {
    p.claims.use(p.head);
    p.state = partition::phase::open;
    moved.notify();
}

asio::awaitable<bool> engine::impl::take_over_one(partition_ptr p) {
    for (;;) {
        co_await redis.connected();
        const auto generation = redis.generation();
        const auto fresh = new_marker();
        const auto before = co_await p->claims.raise(p->owner, fresh);
        if (!before) {
            if (before.error().what() == base::fault::kind::permanent) {
                co_return false;
            }
            co_await runtime::sleep(50ms);
            continue;
        }
        const auto& server = redis.identity();
        const auto& stood = *before;
        if (stood && stood->server == server) {
            // The claims are those of the former owner if it wrote them under the marker that it committed.
            p->inherited_claims_count = stood->marker == p->mark;
            p->mark = stood->marker;
        } else {
            // No head, or a Redis that came back from an old file: it keeps keys and loses claims.
            p->inherited_claims_count = false;
            p->mark = fresh;
        }
        p->head = {.owner = p->owner, .marker = p->mark, .server = server};
        if (stood && stood->server != server) {
            const auto written = co_await p->claims.rebuild(p->head, {});
            if (!written) {
                if (written.error().what() == base::fault::kind::permanent) {
                    co_return false;
                }
                continue;
            }
        }
        if (generation != redis.generation()) {
            continue; // the server may have changed between the two looks
        }
        p->must_commit = true;
        co_return true;
    }
}

asio::awaitable<void> engine::impl::decide_inherited(partition_ptr p, std::vector<item> items) {
    std::vector<std::optional<std::string>> found(items.size());
    bool trusted = p->inherited_claims_count;
    while (trusted) {
        co_await redis.connected();
        if (redis.identity() != p->head.server) {
            trusted = false; // lost since we took over: what the claims said is gone
            break;
        }
        std::vector<claim_ref> refs;
        for (const auto& i : items) {
            refs.push_back({.at = i.at, .field = claim_field(i.dispatch.notification(), i.dispatch.attempt())});
        }
        auto answer = co_await p->claims.look_up(std::move(refs));
        if (answer) {
            // A FLUSHALL leaves the server's identity as it was: only the head tells.
            auto head = co_await p->claims.raise(p->owner, p->mark);
            if (head && *head && (*head)->marker == p->mark && redis.identity() == p->head.server) {
                found = std::move(*answer);
                break;
            }
            if (head) {
                trusted = false;
                start_rebuild(p);
                break;
            }
        }
        co_await runtime::sleep(50ms);
    }
    std::size_t doubts = 0;
    for (std::size_t n = 0; n < items.size(); ++n) {
        auto& i = items[n];
        if (trusted && !found[n]) {
            enqueue(*p, std::move(i)); // reserved, never claimed: certainly not sent
            continue;
        }
        const auto outcome = trusted ? decode_outcome(*found[n]) : std::nullopt;
        if (!outcome) {
            settlement s;
            s.code = trusted ? "semel:owner-lost" : "semel:claims-lost";
            s.text = trusted ? "claimed by a process that ended before the answer was recorded"
                             : "reserved by a process that ended, and Redis lost the claims";
            settle(p, i, s);
            ++doubts;
            continue;
        }
        const verdict v{.what = outcome->what,
                        .code = outcome->code,
                        .text = {},
                        .message_id = outcome->message_id,
                        .retry_after = {}};
        settle(p, i, judge(v, i.dispatch, base::now()), outcome->gateway, outcome->message_id, outcome->content_sha256);
    }
    log.info(
        "inherited",
        {{"partition", p->at.partition}, {"records", items.size()}, {"in_doubt", doubts}, {"claims_trusted", trusted}});
}

asio::awaitable<void> engine::impl::give_up(kafka::revoked gone) {
    std::vector<partition_ptr> leaving;
    for (const auto& at : gone.partitions) {
        if (const auto p = find(at)) {
            leaving.push_back(p);
            p->state = gone.lost ? partition::phase::lost : partition::phase::closing;
        }
    }
    moved.notify();
    if (!gone.lost) {
        const auto end = steady::now() + options.revoke_drain;
        const auto busy = [&] { return std::ranges::any_of(leaving, [](const auto& p) { return p->active > 0; }); };
        while (busy() && steady::now() < end) {
            co_await moved.wait_for(50ms);
        }
        settle_overdue(steady::now(), true);
        co_await commit_until(3s);
    }
    for (const auto& p : leaving) {
        p->state = partition::phase::lost;
        partitions.erase(p->at);
    }
    order.clear();
    for (const auto& [at, p] : partitions) {
        order.push_back(p);
    }
    moved.notify();
    consumer.release(gone);
    log.info("gave up", {{"partitions", leaving.size()}, {"lost", gone.lost}});
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

asio::awaitable<bool> engine::impl::commit_once() {
    while (committing) {
        co_await moved.wait_for(1s);
    }
    committing = true;
    // The events and the ranges are taken in one breath: a record is settled in Kafka only together with its event.
    keep_evidence_only_of_lost(outbox);
    auto batch = std::exchange(outbox, {});
    std::vector<partition_ptr> said_by;
    std::vector<range> said;
    std::vector<marker> said_under;
    std::vector<kafka::commit> offsets;
    for (const auto& p : order) {
        if (p->lost()) {
            continue;
        }
        if (p->state == partition::phase::open) {
            const auto want = std::clamp<std::size_t>(p->settled_lately * 2, 256, 4'096);
            const auto have = p->window.reserved();
            p->window.reserve(want > have ? want - have : 0);
        }
        if (!p->window.dirty() && !p->must_commit) {
            continue;
        }
        p->settled_lately = 0;
        ++p->transaction;
        said.push_back(p->window.propose());
        said_under.push_back(p->mark);
        offsets.push_back(to_commit(*p, said.back()));
        said_by.push_back(p);
    }
    if (batch.empty() && offsets.empty()) {
        last_committed = steady::now();
        committing = false;
        moved.notify();
        co_return true;
    }

    const auto began = steady::now();
    auto result = co_await try_commit(batch, std::move(offsets));
    if (result.outcome == kafka::outcome::unknown) {
        count.commit_failures.add();
        log.warn("transaction of unknown outcome", {{"why", result.why}});
        // Whatever the old producer had in flight is decided once its successor has started; then Kafka says which.
        co_await producer.rebuild();
        result.outcome = co_await read_back(said_by) ? kafka::outcome::committed : kafka::outcome::aborted;
    }
    const bool committed = result.outcome == kafka::outcome::committed;
    if (committed) {
        count.commits.add();
        count.commit_seconds.observe(std::chrono::duration<double>(steady::now() - began).count());
        last_committed = steady::now();
        for (std::size_t i = 0; i < said_by.size(); ++i) {
            auto& p = *said_by[i];
            if (said_under[i] == p.mark) {
                p.must_commit = false; // a marker that changed meanwhile has yet to be committed
            }
            p.window.committed(said[i]);
            p.open_claims.erase(p.open_claims.begin(), p.open_claims.lower_bound(said[i].next));
            // Not before the commit is known: a block is the only memory of what the range does not settle.
            p.claims.drop_below(said[i].next);
        }
    } else {
        count.commit_failures.add();
        log.warn("transaction aborted", {{"why", result.why}});
        for (const auto& p : said_by) {
            p->must_commit = true;
        }
        outbox.insert(outbox.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    }
    committing = false;
    moved.notify();
    co_return committed;
}

asio::awaitable<kafka::commit_result> engine::impl::try_commit(const std::vector<outgoing>& batch,
                                                               std::vector<kafka::commit> offsets) {
    producer.begin();
    for (const auto& record : batch_events(batch, options.partitions)) {
        kafka::topic_partition to{.topic = std::string{wire::events}, .partition = record.partition};
        co_await producer.produce(std::move(to), {}, record.value);
    }
    for (const auto& out : batch) {
        if (!out.to.topic.empty()) {
            co_await producer.produce(out.to, out.key, out.record);
        }
    }
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
            co_await runtime::sleep(200ms);
            continue;
        }
        // All or none: one transaction. A larger number is impossible while we live; another owner's means it is lost.
        for (const auto& c : *committed) {
            const auto checkpoint = decode_checkpoint(c.next, c.metadata);
            const auto p = std::ranges::find(said_by, c.at, [](const auto& q) { return q->at; });
            if (checkpoint && p != said_by.end() && checkpoint->owner == (*p)->owner) {
                co_return checkpoint->transaction == (*p)->transaction;
            }
        }
        for (const auto& p : said_by) {
            p->state = partition::phase::lost;
        }
        moved.notify();
        co_return false;
    }
}

void engine::impl::start_rebuild(const partition_ptr& p) {
    if (p->state != partition::phase::open) {
        return;
    }
    p->state = partition::phase::rebuilding;
    gate.spawn("rebuild claims", rebuild(p));
}

asio::awaitable<void> engine::impl::rebuild(partition_ptr p) {
    log.warn("Redis lost the claims of a partition; writing them anew",
             {{"topic", p->at.topic}, {"partition", p->at.partition}});
    count.rebuilds.add();
    while (p->state == partition::phase::rebuilding) {
        co_await redis.connected();
        const auto generation = redis.generation();
        head h{.owner = p->owner, .marker = new_marker(), .server = redis.identity()};
        std::vector<std::pair<claim_ref, std::string>> open;
        for (const auto& [at, c] : p->open_claims) {
            claim_ref ref{.at = at, .field = c.field};
            open.emplace_back(std::move(ref), c.outcome);
        }
        const auto written = co_await p->claims.rebuild(h, std::move(open));
        if (!written) {
            if (written.error().what() == base::fault::kind::permanent) {
                p->state = partition::phase::lost;
                moved.notify();
                co_return;
            }
            co_await runtime::sleep(50ms);
            continue;
        }
        p->mark = h.marker;
        p->head = std::move(h);
        p->must_commit = true;
        // A crash between the head and this commit leaves two markers that differ: all in doubt, none silent. A claim
        // before it would be one that a zombie could make.
        if (!co_await commit_until(30s) || p->must_commit) {
            continue;
        }
        if (generation == redis.generation() && p->state == partition::phase::rebuilding) {
            this->open(*p);
            wake.notify();
        }
    }
}

} // namespace semel::delivery
