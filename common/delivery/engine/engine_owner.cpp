// Who owns a partition, and what Kafka and Redis are told about it. The order of the steps is the proof; each says
// what would go wrong otherwise.

#include "engine_impl.hpp"

#include <crypto/seal.hpp>
#include <delivery/core/inherited.hpp>
#include <failpoint/failpoint.hpp>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

marker new_marker() {
    return base::as_array<16>(crypto::random_bytes(16)).value();
}

/// Its head stands and is committed: what its claims say can be believed, also while it is being given up.
bool holds_claims(const partition& p) {
    return p.state == partition::phase::open || p.state == partition::phase::closing;
}

} // namespace

asio::awaitable<void> engine::impl::take_over(std::vector<kafka::topic_partition> gained) {
    ++assignment;
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
        p->parked_round_us = base::to_us(options.time().best);
        p->must_commit = true;
        partitions[commit.at] = p;
        starts.push_back({.at = commit.at, .next = commit.next});
    }
    order.clear();
    for (const auto& [at, p] : partitions) {
        order.push_back(p);
    }

    SEMEL_FAILPOINT("delivery.take_over.assigned");
    // 1. The range unchanged, under the next owner number: from here on the former owner's commits are refused or
    //    overtaken, and nobody else can believe that it owns the range.
    if (!co_await commit_until(20s)) {
        throw std::runtime_error{"taking over partitions: the first commit does not succeed; starting anew"};
    }
    SEMEL_FAILPOINT("delivery.take_over.owner_committed");
    // Reading may begin: nothing is decided before the partition is open. The rest needs Redis. The group's next
    // rebalance waits for the answer to this assignment, so a Redis that is away must not delay it.
    consumer.begin(starts);
    std::vector<kafka::topic_partition> named;
    for (const auto& s : starts) {
        named.push_back(s.at);
    }
    consumer.resume(named); // a former life may have paused some
    gate.spawn("take over", raise_heads(assignment));
}

/// Ends without a word when the group has decided anew meanwhile.
asio::awaitable<void> engine::impl::raise_heads(std::uint64_t of) {
    const auto taken = order;
    // 2. Raise the heads in Redis: from here on the former owner claims nothing.
    for (const auto& p : taken) {
        const bool raised = co_await take_over_one(p);
        if (assignment != of) {
            co_return;
        }
        if (!raised) {
            lose(*p, "a larger owner number stands in Redis");
        }
    }
    SEMEL_FAILPOINT("delivery.take_over.head_raised");
    // 3. A successful commit of this generation after any write of a head: had we lost the group meanwhile, our head
    //    would stand but we could not claim under it.
    const bool committed = co_await commit_until(20s);
    if (assignment != of) {
        co_return;
    }
    if (!committed) {
        throw std::runtime_error{"taking over partitions: the second commit does not succeed; starting anew"};
    }
    SEMEL_FAILPOINT("delivery.take_over.marker_committed");
    // 4. Only now decide and claim.
    for (const auto& p : taken) {
        if (p->state == partition::phase::taking_over) {
            open(*p);
        }
    }
    log.info("partitions.taken", {{"partitions", taken.size()}});
    feed();
}

void engine::impl::open(partition& p) {
    p.claims.use(p.head);
    p.state = partition::phase::open;
    moved.notify();
}

/// This process is not the owner after all, whatever the group says.
void engine::impl::lose(partition& p, std::string_view why) {
    if (p.lost()) {
        return;
    }
    log.warn("partition.lost", {{"topic", p.at.topic}, {"partition", p.at.partition}, {"why", why}});
    p.state = partition::phase::lost;
    p.lost_at = steady::now();
    moved.notify();
}

asio::awaitable<bool> engine::impl::take_over_one(partition_ptr p) {
    // What Kafka says of the former owner's claims. Never the marker of a head that we wrote ourselves a moment ago:
    // lost claims would look like claims that were never made.
    const auto committed_mark = p->mark;
    for (;;) {
        co_await redis.connected();
        if (p->state != partition::phase::taking_over) {
            co_return true; // given up meanwhile
        }
        const auto generation = redis.generation();
        const auto server = redis.identity();
        const auto fresh = new_marker();
        const auto before = co_await p->claims.raise(p->owner, fresh);
        if (!before) {
            if (before.error().what() == base::fault::kind::permanent) {
                co_return false;
            }
            co_await runtime::sleep(50ms);
            continue;
        }
        const auto& stood = *before;
        const bool same_server = stood && stood->server == server;
        std::optional<former_head> former;
        if (stood) {
            former = {
                .marker = stood->marker, .same_server = same_server, .vouched_for = redis.holds_all_of(stood->server)};
        }
        head h{.owner = p->owner, .marker = same_server ? stood->marker : fresh, .server = server};
        if (stood && !same_server) {
            // A Redis that came back from an old file keeps keys and loses claims: a new incarnation begins. After an
            // orderly end as well: the note of it must not vouch a second time, for claims that are made from now on.
            const auto written = co_await p->claims.rebuild(h, {});
            if (!written) {
                if (written.error().what() == base::fault::kind::permanent) {
                    co_return false;
                }
                co_await runtime::sleep(50ms);
                continue;
            }
        }
        if (!co_await redis.unchanged() || generation != redis.generation()) {
            continue; // the server, or its data, may have changed between the two looks
        }
        if (!claims_are_whole(former, committed_mark)) {
            p->claims_lost_below = p->window.inherited_end();
        }
        p->mark = h.marker;
        p->head = std::move(h);
        p->must_commit = true;
        co_return true;
    }
}

/// Reads the claims of records that the former owner had reserved. Under the gate: a Redis that is away must not keep
/// the group waiting.
asio::awaitable<void> engine::impl::decide_inherited(partition_ptr p, std::vector<item> items) {
    struct deciding {
        partition& p;
        ~deciding() { --p.deciding; }
    } const here{*p};
    std::vector<std::optional<std::string>> found;
    for (;;) {
        while (p->state == partition::phase::rebuilding || p->state == partition::phase::taking_over) {
            co_await moved.wait_for(1s);
        }
        if (!holds_claims(*p)) {
            co_return; // the next owner decides
        }
        const auto h = p->head;
        bool lost = redis.trouble().empty() && redis.identity() != h.server;
        if (!lost) {
            std::vector<claim_ref> refs;
            for (const auto& i : items) {
                refs.push_back({.at = i.at, .field = claim_field(i.dispatch.notification(), i.dispatch.attempt())});
            }
            auto answer = co_await p->claims.look_up(h, std::move(refs));
            const bool same = co_await redis.unchanged();
            if (answer && same && holds_claims(*p) && p->head == h && redis.identity() == h.server) {
                found = std::move(*answer);
                break;
            }
            // A FLUSHALL leaves the server's identity as it was: only the head tells.
            lost = !answer && answer.error().what() == base::fault::kind::malformed;
        }
        if (lost) {
            if (p->state == partition::phase::closing) {
                co_return; // nothing is written anew for it
            }
            start_rebuild(p);
            continue;
        }
        co_await runtime::sleep(50ms);
    }
    SEMEL_FAILPOINT("delivery.inherited.looked_up");
    std::size_t claimed = 0;
    for (std::size_t n = 0; n < items.size(); ++n) {
        claimed += found[n] ? 1 : 0;
        decide(p, std::move(items[n]), found[n]);
    }
    SEMEL_FAILPOINT("delivery.inherited.decided");
    log.info("range.inherited", {{"topic", p->at.topic},
                                 {"partition", p->at.partition},
                                 {"records", items.size()},
                                 {"claimed", claimed},
                                 {"claims_lost", p->claims_lost_below > items.front().at}});
    wake.notify();
    feed();
}

void engine::impl::decide(const partition_ptr& p, item i, const std::optional<std::string>& claim) {
    if (!i.unreadable.empty()) {
        enqueue(*p, std::move(i));
        return;
    }
    auto left = inherit(claim, i.at < p->claims_lost_below);
    if (std::holds_alternative<never_claimed>(left)) {
        enqueue(*p, std::move(i));
        return;
    }
    if (const auto* answered = std::get_if<answered_before>(&left)) {
        const auto& said = answered->said;
        const verdict v{
            .what = said.what, .code = said.code, .text = {}, .message_id = said.message_id, .retry_after = {}};
        settle(p, i, judge(v, i.dispatch, options.time().certain), said.gateway, said.message_id, said.content_sha256);
        return;
    }
    auto& doubt = std::get<left_in_doubt>(left);
    i.parts = doubt.parts;
    auto gateway = claim ? doubt.gateway : i.dispatch.pinned_gateway();
    if (gateway.empty() && lanes.size() == 1) {
        gateway = lanes.front().gateway->name();
    }
    settle(p, i, doubt.how, std::move(gateway));
}

asio::awaitable<void> engine::impl::give_up(kafka::revoked gone) {
    ++assignment;
    std::vector<partition_ptr> leaving;
    for (const auto& at : gone.partitions) {
        if (const auto p = find(at)) {
            leaving.push_back(p);
            if (!p->lost()) {
                p->state = gone.lost ? partition::phase::lost : partition::phase::closing;
            }
        }
    }
    moved.notify();
    SEMEL_FAILPOINT("delivery.revoke.closing");
    if (!gone.lost) {
        const auto end = steady::now() + options.revoke_drain;
        const auto busy = [&] {
            // Whatever has not asked for a claim finds the partition closed, and leaves no trace.
            return std::ranges::any_of(leaving, [](const auto& p) { return p->claiming > 0 || p->rebuilding; });
        };
        while (busy() && steady::now() < end) {
            co_await moved.wait_for(50ms);
        }
        settle_overdue(steady::now(), true);
        SEMEL_FAILPOINT("delivery.revoke.drained");
        co_await commit_until(3s); // if it does not succeed, the next owner finds it in the range and the claims
        SEMEL_FAILPOINT("delivery.revoke.committed");
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
    log.info("partitions.given_up", {{"partitions", leaving.size()}, {"lost", gone.lost}});
}

void engine::impl::start_rebuild(const partition_ptr& p) {
    if (p->state != partition::phase::open || p->rebuilding) {
        return;
    }
    p->state = partition::phase::rebuilding;
    p->rebuilding = true;
    gate.spawn("rebuild claims", rebuild(p));
}

asio::awaitable<void> engine::impl::rebuild(partition_ptr p) {
    // All partitions find out at about the same time: one line for them.
    if (const auto now = steady::now(); now - rebuild_told > 1s) {
        rebuild_told = now;
        log.warn("claims.lost",
                 {{"partitions", order.size()}, {"first_seen_in", p->at.topic}, {"partition", p->at.partition}});
    }
    count.rebuilds.add();
    // A partition that is being given up needs its claims as well: the next owner reads them.
    while (!p->lost() && !co_await rebuild_once(p)) {
    }
    p->rebuilding = false;
    if (p->state == partition::phase::rebuilding) {
        open(*p);
        wake.notify();
        feed();
    }
    moved.notify();
}

/// True when the new head stands and is committed.
asio::awaitable<bool> engine::impl::rebuild_once(partition_ptr p) {
    co_await redis.connected();
    const auto generation = redis.generation();
    head h{.owner = p->owner, .marker = new_marker(), .server = redis.identity()};
    std::vector<std::pair<claim_ref, std::string>> open_now;
    for (const auto& [at, c] : p->open_claims) {
        claim_ref ref{.at = at, .field = c.field};
        open_now.emplace_back(std::move(ref), c.value);
    }
    if (p->deciding > 0 || !p->window.inherited_arrived()) {
        p->claims_lost_below = p->window.inherited_end(); // claims of the owner before us, which we have not read
    }
    SEMEL_FAILPOINT("delivery.rebuild.begun");
    const auto written = co_await p->claims.rebuild(h, std::move(open_now));
    if (!written) {
        if (written.error().what() == base::fault::kind::permanent) {
            lose(*p, written.error().why());
            co_return true;
        }
        co_await runtime::sleep(50ms);
        co_return false;
    }
    p->mark = h.marker;
    p->head = std::move(h);
    p->must_commit = true;
    SEMEL_FAILPOINT("delivery.rebuild.head_written");
    // A crash between the head and this commit leaves two markers that differ: all in doubt, none silent. A claim
    // before it would be one that a zombie could make.
    if (!co_await commit_until(10s) || p->must_commit) {
        co_return false;
    }
    SEMEL_FAILPOINT("delivery.rebuild.committed");
    co_return generation == redis.generation();
}

} // namespace semel::delivery
