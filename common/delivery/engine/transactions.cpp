#include "transactions.hpp"

#include <failpoint/failpoint.hpp>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_reserved = 4'096; // of one partition
constexpr auto between_tries = 50ms;
constexpr auto between_looks_back = 200ms;

} // namespace

/// What one transaction says.
struct transactions::proposal {
    struct part {
        partition_ptr of;
        range said;
        std::uint64_t number = 0; // of the transaction, in this partition's checkpoint
    };
    std::vector<outgoing> batch;
    std::vector<part> parts;
    std::vector<kafka::commit> offsets; // of the parts
};

transactions::transactions(settings s, const ports& p, partitions& all, const parking& parked, outbox& out,
                           spawner spawn, counters& count, telemetry::logger& log)
    : settings_(std::move(s))
    , ports_(p)
    , partitions_(all)
    , parking_(parked)
    , outbox_(out)
    , spawn_(std::move(spawn))
    , count_(count)
    , log_(log) {}

/// Reserves about two commits' worth of what may be sent now. What must still wait (retry.*) is not reserved: it would
/// stay in the range for as long, and be in doubt after a crash together with a Redis loss.
void transactions::reserve_due(partition& p, base::instant now) const {
    auto& load = p.load;
    load.pace = std::max(load.settled_lately, load.pace - load.pace / 4);
    if (!p.is_open() || !reserving_ || !ports_.clock.time().certain) {
        return;
    }
    const auto busy = std::ranges::count_if(partitions_.all(), [](const auto& o) { return !o->waiting.empty(); });
    const auto least = 2 * settings_.most_active / static_cast<std::size_t>(std::max<std::ptrdiff_t>(busy, 1)) + 1;
    const auto want = std::min(std::max(2 * load.pace, least), most_reserved);
    const auto have = p.window.reserved();
    const auto& items = p.waiting.items;
    std::size_t due = 0;
    for (auto it = std::ranges::lower_bound(items, p.window.end(), {}, &item::at);
         it != items.end() && have + due < want && it->due <= now && !parking_.stays(p, *it); ++it) {
        ++due;
    }
    p.window.reserve(due);
}

asio::awaitable<bool> transactions::commit_within(std::chrono::milliseconds patience) {
    const auto last = ports_.clock.now() + patience;
    while (!co_await commit()) {
        if (ports_.clock.now() >= last) {
            co_return false;
        }
        co_await pause(ports_.clock, between_tries);
    }
    co_return true;
}

asio::awaitable<bool> transactions::commit() {
    const auto idle = [this] { return !under_way_; };
    co_await until(ports_.clock, never, idle, ended_);
    under_way_ = true;
    const auto answer = std::make_shared<std::optional<bool>>();
    if (!spawn_("commit", carry_out(answer))) {
        under_way_ = false;
        ended_.changed();
        co_return false;
    }
    const auto answered = [answer] { return answer->has_value(); };
    co_await until(ports_.clock, never, answered, ended_);
    co_return **answer;
}

void transactions::end(const answer_ptr& answer, bool well) {
    under_way_ = false;
    *answer = well;
    ended_.changed();
}

/// The events and the ranges are taken in one breath: a record is settled in Kafka only together with its event.
transactions::proposal transactions::propose() {
    proposal all{.batch = outbox_.take(), .parts = {}, .offsets = {}};
    const auto now = ports_.clock.now();
    for (const auto& p : partitions_.all()) {
        if (p->lost()) {
            continue;
        }
        reserve_due(*p, now);
        p->load.settled_lately = 0;
        if (!p->window.dirty() && !p->title.must_commit) {
            continue;
        }
        auto said = p->window.propose();
        all.offsets.push_back(p->title.say(p->at, said));
        all.parts.push_back({.of = p, .said = std::move(said), .number = p->title.transaction});
    }
    return all;
}

asio::awaitable<void> transactions::carry_out(answer_ptr answer) {
    auto said = propose();
    if (said.batch.empty() && said.offsets.empty()) {
        end(answer, true);
        co_return;
    }
    const auto began = ports_.clock.now();
    if (co_await decide(said) != kafka::outcome::committed) {
        count_.commit_failures.add();
        for (const auto& part : said.parts) {
            part.of->title.must_commit = true;
        }
        outbox_.put_back(std::move(said.batch));
        end(answer, false);
        co_return;
    }
    count_.commits.add();
    count_.commit_seconds.observe(std::chrono::duration<double>(ports_.clock.now() - began).count());
    take_effect(said);
    end(answer, true);
}

/// Commits, and finds out whether it did.
asio::awaitable<kafka::outcome> transactions::decide(const proposal& said) {
    auto result = co_await try_commit(said);
    SEMEL_FAILPOINT("delivery.commit.answered");
    if (result.outcome == kafka::outcome::unknown) {
        count_.commit_failures.add();
        log_.warn("transaction.unknown", {{"why", result.why}});
        SEMEL_FAILPOINT("delivery.commit.unknown");
        // Whatever the old producer had in flight is decided once its successor has started; then Kafka says which.
        co_await ports_.writer.rebuild();
        SEMEL_FAILPOINT("delivery.commit.rebuilt");
        result.outcome = co_await read_back(said) ? kafka::outcome::committed : kafka::outcome::aborted;
        SEMEL_FAILPOINT("delivery.commit.read_back");
    }
    if (result.outcome != kafka::outcome::committed) {
        log_.warn("transaction.not_committed", {{"why", result.why}, {"lapsed", result.lapsed}});
    }
    co_return result.outcome;
}

void transactions::take_effect(const proposal& said) {
    for (const auto& part : said.parts) {
        auto& p = *part.of;
        p.title.heard(part.number);
        p.window.committed(part.said);
        p.open_claims.erase(p.open_claims.begin(), p.open_claims.lower_bound(part.said.next));
        SEMEL_FAILPOINT("delivery.commit.known");
        // Not before the commit is known: a block is the only memory of what the range does not settle.
        p.claims->drop_below(part.said.next);
        SEMEL_FAILPOINT("delivery.commit.dropped");
    }
}

asio::awaitable<kafka::commit_result> transactions::try_commit(const proposal& said) {
    auto& to = ports_.writer;
    to.begin();
    SEMEL_FAILPOINT("delivery.commit.begun");
    wire::event_batches events{settings_.partitions};
    for (const auto& out : said.batch) {
        if (out.event.kind() != v1::EVENT_KIND_UNSPECIFIED) {
            events.add(out.event);
        }
    }
    for (const auto& record : events.take()) {
        kafka::topic_partition place{.topic = settings_.prefix + std::string{wire::events},
                                     .partition = record.partition};
        co_await to.produce(std::move(place), {}, record.value);
    }
    for (const auto& out : said.batch) {
        if (!out.to.topic.empty()) {
            co_await to.produce(out.to, out.key, out.record);
        }
    }
    SEMEL_FAILPOINT("delivery.commit.produced");
    auto offsets = said.offsets;
    co_return co_await to.commit(std::move(offsets));
}

asio::awaitable<bool> transactions::read_back(const proposal& said) {
    std::vector<kafka::topic_partition> ask;
    for (const auto& part : said.parts) {
        ask.push_back(part.of->at);
    }
    if (ask.empty()) {
        co_return false; // events only: their ids make a repetition harmless
    }
    for (;;) {
        auto which = ask;
        const auto committed = co_await ports_.reader.committed(std::move(which));
        if (!committed) {
            log_.warn("offsets.not_read", {{"why", committed.error().why()}});
            co_await pause(ports_.clock, between_looks_back);
            continue;
        }
        // All or none: one transaction. Any partition that nobody took over meanwhile tells which.
        std::optional<bool> ours;
        for (const auto& c : *committed) {
            const auto stands = decode_checkpoint(c.next, c.metadata);
            const auto asked = std::ranges::find_if(said.parts, [&](const auto& part) { return part.of->at == c.at; });
            if (!stands || asked == said.parts.end()) {
                continue;
            }
            auto& p = *asked->of;
            if (stands->owner == p.title.owner) {
                ours = stands->transaction == asked->number;
            } else if (stands->owner > p.title.owner) {
                partitions_.lose(p, "another owner has committed since");
            }
        }
        // Nobody to ask: only evidence is told again, and that is recognised by its ids. But on the first commit of a
        // new owner the one before us may still stand there: then ours did not arrive.
        co_return ours.value_or(false);
    }
}

} // namespace semel::delivery
