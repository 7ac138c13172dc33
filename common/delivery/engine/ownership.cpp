#include "ownership.hpp"

#include <crypto/seal.hpp>
#include <failpoint/failpoint.hpp>

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;
using fault = base::fault::kind;

namespace {

constexpr auto between_tries = 50ms;

marker new_marker() {
    return base::as_array<16>(crypto::random_bytes(16)).value();
}

} // namespace

ownership::ownership(settings s, const ports& p, partitions& all, transactions& commits, outcomes& settled, outbox& out,
                     spawner spawn, counters& count, telemetry::logger& log)
    : settings_(std::move(s))
    , ports_(p)
    , partitions_(all)
    , transactions_(commits)
    , outcomes_(settled)
    , outbox_(out)
    , spawn_(std::move(spawn))
    , count_(count)
    , log_(log) {}

asio::awaitable<void> ownership::take_over(std::vector<kafka::topic_partition> gained) {
    ++assignment_;
    ports_.reader.bind_membership();
    if (gained.empty()) {
        ports_.reader.begin({});
        co_return;
    }
    auto committed = co_await ports_.reader.committed(std::move(gained));
    if (!committed) {
        throw std::runtime_error{"cannot read the committed offsets: " + committed.error().why()};
    }
    std::vector<kafka::start> starts;
    std::vector<kafka::topic_partition> named;
    std::vector<partition_ptr> taken;
    for (const auto& commit : *committed) {
        const auto said = decode_checkpoint(commit.next, commit.metadata);
        if (!said) {
            throw std::runtime_error{"partition " + std::to_string(commit.at.partition) + " of " + commit.at.topic +
                                     ": " + said.error().why()};
        }
        taken.push_back(std::make_shared<partition>(commit.at, *said, ports_.store.claims_of(commit.at)));
        taken.back()->waiting.parked_round_us = base::to_us(ports_.clock.time().best);
        starts.push_back({.at = commit.at, .next = commit.next});
        named.push_back(commit.at);
    }
    partitions_.add(taken);

    SEMEL_FAILPOINT("delivery.take_over.assigned");
    // 1. The range unchanged, under the next owner number: from here on the former owner's commits are refused or
    //    overtaken, and nobody else can believe that it owns the range.
    if (!co_await transactions_.commit_within(20s)) {
        throw std::runtime_error{"taking over partitions: the first commit does not succeed; starting anew"};
    }
    SEMEL_FAILPOINT("delivery.take_over.owner_committed");
    // Reading may begin: nothing is decided before the partition is open. The rest needs Redis. The group's next
    // rebalance waits for the answer to this assignment, so a Redis that is away must not delay it.
    ports_.reader.begin(starts);
    ports_.reader.resume(named); // a former life may have paused some
    std::ignore = spawn_("take over", raise_heads(assignment_));
}

/// Ends without a word when the group has decided anew meanwhile.
asio::awaitable<void> ownership::raise_heads(std::uint64_t of) {
    const auto taken = partitions_.all();
    // 2. Raise the heads in Redis: from here on the former owner claims nothing.
    for (const auto& p : taken) {
        const bool raised = co_await raise_head(p);
        if (assignment_ != of) {
            co_return;
        }
        if (!raised) {
            partitions_.lose(*p, "a larger owner number stands in Redis");
        }
    }
    SEMEL_FAILPOINT("delivery.take_over.head_raised");
    // 3. A successful commit of this generation after any write of a head: had we lost the group meanwhile, our head
    //    would stand but we could not claim under it.
    const bool committed = co_await transactions_.commit_within(20s);
    if (assignment_ != of) {
        co_return;
    }
    if (!committed) {
        throw std::runtime_error{"taking over partitions: the second commit does not succeed; starting anew"};
    }
    SEMEL_FAILPOINT("delivery.take_over.marker_committed");
    // 4. Only now decide and claim.
    for (const auto& p : taken) {
        if (p->taking_over()) {
            p->open();
        }
    }
    log_.info("partitions.taken", {{"partitions", taken.size()}});
    settings_.feed();
}

/// False: a larger owner number stands there.
asio::awaitable<bool> ownership::raise_head(partition_ptr p) {
    auto& redis = ports_.store;
    // What Kafka says of the former owner's claims. Never the marker of a head that we wrote ourselves a moment ago:
    // lost claims would look like claims that were never made.
    const auto committed_mark = p->title.mark;
    for (;;) {
        co_await redis.connected();
        if (!p->taking_over()) {
            co_return true; // given up meanwhile
        }
        const auto generation = redis.generation();
        const auto server = redis.identity();
        const auto fresh = new_marker();
        const auto before = co_await p->claims->raise(p->title.owner, fresh);
        if (!before) {
            if (before.error().what() == fault::permanent) {
                co_return false;
            }
            co_await pause(ports_.clock, between_tries);
            continue;
        }
        const auto& stood = *before;
        const bool same_server = stood && stood->server == server;
        std::optional<former_head> former;
        if (stood) {
            former = {
                .marker = stood->marker, .same_server = same_server, .vouched_for = redis.holds_all_of(stood->server)};
        }
        head h{.owner = p->title.owner, .marker = same_server ? stood->marker : fresh, .server = server};
        if (stood && !same_server) {
            // A Redis that came back from an old file keeps keys and loses claims: a new incarnation begins. After an
            // orderly end as well: the note of it must not vouch a second time, for claims that are made from now on.
            const auto written = co_await p->claims->rebuild(h, {});
            if (!written) {
                if (written.error().what() == fault::permanent) {
                    co_return false;
                }
                co_await pause(ports_.clock, between_tries);
                continue;
            }
        }
        if (!co_await redis.unchanged() || generation != redis.generation()) {
            continue; // the server, or its data, may have changed between the two looks
        }
        if (!claims_are_whole(former, committed_mark)) {
            p->title.claims_lost_below = p->window.inherited_end();
        }
        p->title.take(std::move(h));
        co_return true;
    }
}

void ownership::inherited(const partition_ptr& p, std::vector<item> items) {
    at_work counted{partitions_, p, &workload::deciding};
    std::ignore = spawn_("inherited", decide_inherited(p, std::move(items), std::move(counted)));
}

/// A task of its own: a Redis that is away must not keep the group waiting.
asio::awaitable<void> ownership::decide_inherited(partition_ptr p, std::vector<item> items,
                                                  [[maybe_unused]] at_work counted) {
    claims_found found;
    for (;;) {
        const auto settled = [&] { return !p->rebuilding() && !p->taking_over(); };
        co_await until(ports_.clock, never, settled, p->phase_changed);
        if (!p->holds_claims()) {
            co_return; // the next owner decides
        }
        auto seen = co_await look_up(p, items);
        if (seen) {
            found = std::move(*seen);
            break;
        }
        if (seen.error().what() == fault::malformed) {
            if (p->closing()) {
                co_return; // nothing is written anew for it
            }
            start_rebuild(p);
        } else if (ports_.store.trouble().empty()) {
            co_await pause(ports_.clock, between_tries);
        } else {
            const auto worth_a_try = [&] { return ports_.store.trouble().empty() || !p->holds_claims(); };
            co_await until(ports_.clock, never, worth_a_try, ports_.store, p->phase_changed);
        }
    }
    SEMEL_FAILPOINT("delivery.inherited.looked_up");
    std::size_t claimed = 0;
    for (std::size_t n = 0; n < items.size(); ++n) {
        claimed += found[n] ? 1 : 0;
        decide(p, std::move(items[n]), found[n]);
    }
    SEMEL_FAILPOINT("delivery.inherited.decided");
    log_.info("range.inherited", {{"topic", p->at.topic},
                                  {"partition", p->at.partition},
                                  {"records", items.size()},
                                  {"claimed", claimed},
                                  {"claims_lost", p->title.claims_lost_below > items.front().at}});
    outbox_.hurry();
    settings_.feed();
}

/// `malformed`: Redis has lost them; anything else: nobody can tell yet.
asio::awaitable<base::result<ownership::claims_found>> ownership::look_up(partition_ptr p,
                                                                          const std::vector<item>& items) {
    auto& redis = ports_.store;
    const auto h = p->title.head;
    if (redis.trouble().empty() && redis.identity() != h.server) {
        co_return base::failed(fault::malformed, "the head was written to another Redis");
    }
    std::vector<claim_ref> refs;
    refs.reserve(items.size());
    for (const auto& i : items) {
        refs.push_back({.at = i.at, .field = claim_field(i.dispatch.notification(), i.dispatch.attempt())});
    }
    auto answer = co_await p->claims->look_up(h, std::move(refs));
    const bool same = co_await redis.unchanged();
    if (answer && same && p->holds_claims() && p->title.head == h && redis.identity() == h.server) {
        co_return answer;
    }
    // A FLUSHALL leaves the server's identity as it was: only the head tells.
    co_return base::failed(!answer ? answer.error() : base::fault{fault::transient, "Redis changed while it answered"});
}

void ownership::decide(const partition_ptr& p, item i, const std::optional<std::string>& claim) {
    if (!i.unreadable.empty()) {
        partitions_.enqueue(*p, std::move(i));
        return;
    }
    const auto left = inherit(claim, i.at < p->title.claims_lost_below);
    if (std::holds_alternative<never_claimed>(left)) {
        partitions_.enqueue(*p, std::move(i));
        return;
    }
    if (const auto* answered = std::get_if<answered_before>(&left)) {
        const auto& said = answered->said;
        const verdict v{
            .what = said.what, .code = said.code, .text = {}, .message_id = said.message_id, .retry_after = {}};
        outcomes_.settle(
            p, i, judge(v, i.dispatch, ports_.clock.time().certain),
            {.gateway = said.gateway, .message_id = said.message_id, .content_sha256 = said.content_sha256});
        return;
    }
    const auto& doubt = std::get<left_in_doubt>(left);
    i.parts = doubt.parts;
    auto gateway = claim ? doubt.gateway : i.dispatch.pinned_gateway();
    if (gateway.empty()) {
        gateway = settings_.only_gateway;
    }
    outcomes_.settle(p, i, doubt.how, {.gateway = std::move(gateway)});
}

asio::awaitable<void> ownership::give_up(kafka::revoked gone) {
    ++assignment_;
    std::vector<partition_ptr> leaving;
    for (const auto& at : gone.partitions) {
        if (const auto p = partitions_.find(at)) {
            leaving.push_back(p);
            if (gone.lost) {
                p->let_go();
            } else {
                p->revoke();
            }
        }
    }
    SEMEL_FAILPOINT("delivery.revoke.closing");
    if (!gone.lost) {
        // Whatever has not asked for a claim finds the partition closed, and leaves no trace.
        const auto at_rest = [&] {
            return std::ranges::none_of(leaving,
                                        [](const auto& p) { return p->load.claiming > 0 || p->rebuild_under_way(); });
        };
        co_await until(ports_.clock, ports_.clock.now() + settings_.revoke_drain, at_rest, partitions_.work_ended);
        outcomes_.settle_overdue(ports_.clock.now(), true);
        SEMEL_FAILPOINT("delivery.revoke.drained");
        co_await transactions_.commit_within(3s); // else the next owner finds it in the range and the claims
        SEMEL_FAILPOINT("delivery.revoke.committed");
    }
    for (const auto& p : leaving) {
        p->let_go();
    }
    partitions_.remove(leaving);
    ports_.reader.release(gone);
    log_.info("partitions.given_up", {{"partitions", leaving.size()}, {"lost", gone.lost}});
}

void ownership::stop() {
    ++assignment_;
    for (const auto& p : partitions_.all()) {
        if (p->is_open() || p->taking_over()) {
            p->revoke(); // what has not asked for a claim is the next owner's
        }
    }
}

void ownership::start_rebuild(const partition_ptr& p) {
    if (p->begin_rebuild()) {
        std::ignore = spawn_("rebuild claims", rebuild(p));
    }
}

asio::awaitable<void> ownership::rebuild(partition_ptr p) {
    // All partitions find out at about the same time: one line for them.
    if (const auto now = ports_.clock.now(); now - rebuild_told_ > 1s) {
        rebuild_told_ = now;
        log_.warn(
            "claims.lost",
            {{"partitions", partitions_.all().size()}, {"first_seen_in", p->at.topic}, {"partition", p->at.partition}});
    }
    count_.rebuilds.add();
    // A partition that is being given up needs its claims as well: the next owner reads them.
    while (!p->lost() && !co_await rebuild_once(p)) {
    }
    const bool goes_on = p->end_rebuild();
    partitions_.work_ended.changed();
    if (goes_on) {
        outbox_.hurry();
        settings_.feed();
    }
}

/// True when the new head stands and is committed.
asio::awaitable<bool> ownership::rebuild_once(partition_ptr p) {
    auto& redis = ports_.store;
    co_await redis.connected();
    const auto generation = redis.generation();
    head h{.owner = p->title.owner, .marker = new_marker(), .server = redis.identity()};
    std::vector<std::pair<claim_ref, std::string>> open_now;
    for (const auto& [at, c] : p->open_claims) {
        claim_ref ref{.at = at, .field = c.field};
        open_now.emplace_back(std::move(ref), c.value);
    }
    if (p->load.deciding > 0 || !p->window.inherited_arrived()) {
        p->title.claims_lost_below = p->window.inherited_end(); // of the owner before us, which we have not read
    }
    SEMEL_FAILPOINT("delivery.rebuild.begun");
    const auto written = co_await p->claims->rebuild(h, std::move(open_now));
    if (!written) {
        if (written.error().what() == fault::permanent) {
            partitions_.lose(*p, written.error().why());
            co_return true;
        }
        co_await pause(ports_.clock, between_tries);
        co_return false;
    }
    p->title.take(std::move(h));
    SEMEL_FAILPOINT("delivery.rebuild.head_written");
    // A crash between the head and this commit leaves two markers that differ: all in doubt, none silent. A claim
    // before it would be one that a zombie could make.
    if (!co_await transactions_.commit_within(10s) || p->title.must_commit) {
        co_return false;
    }
    SEMEL_FAILPOINT("delivery.rebuild.committed");
    co_return generation == redis.generation();
}

} // namespace semel::delivery
