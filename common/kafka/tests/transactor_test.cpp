// The policy of the one transactional consumer, each of its rules with the mistake that it guards against.

#include "process.hpp"

#include <kafka/membership.hpp>
#include <runtime/race.hpp>

#include <gmock/gmock.h>

#include <optional>

namespace semel::kafka::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(Transactor, AnswersEachRecordOnceAndGoesOnWhereItStopped) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 3);
        co_await fill(ex, on, {on.topic, 1}, 2);
        {
            process first{ex, on, "a"};
            co_await wait_for_position(first, {on.topic, 0}, 3);
            co_await wait_for_position(first, {on.topic, 1}, 2);
            EXPECT_EQ(first.who.now->committed().at({on.topic, 0}).metadata, "copied");
            co_await first.end();
            EXPECT_EQ(first.who.left, 1);
        }
        co_await fill(ex, on, {on.topic, 0}, 1);
        process second{ex, on, "a"};
        co_await wait_for_tenure(second, 2);
        EXPECT_EQ(second.who.now->committed().at({on.topic, 0}).next, 3);
        co_await wait_for_position(second, {on.topic, 0}, 5); // the mark of the first commit lies between
        co_await second.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, UnorderedElementsAre("0", "1", "2", "0", "1", "0"));
    });
}

// The mistake: to make it again without having asked.
TEST(Transactor, WhatWasCommittedAlthoughNobodyHeardIsNotMadeAgain) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        int rounds = 0;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            ++rounds;
            auto tx = co_await p.by.begin(t);
            co_await tx->produce({on.output, 0}, "k", got.batch.front().value());
            std::vector<commit> offsets{{{on.topic, 0}, got.batch.front().offset() + 1, "mine"}};
            if (rounds == 1) { // as the broker would have done it, had our commit come through and its answer been lost
                auto twin = co_await twin_of(ex, on, "a");
                twin->begin();
                co_await twin->produce({on.output, 0}, "k", got.batch.front().value());
                const auto done = co_await twin->commit(offsets, outside_any_group(on.group));
                EXPECT_EQ(done.outcome, outcome::committed) << done.why;
            }
            const auto became = co_await tx->commit(std::move(offsets));
            EXPECT_EQ(became, settled::committed) << rounds;
            EXPECT_EQ(t->committed().at({on.topic, 0}).next, got.batch.front().offset() + 1);
        };
        co_await fill(ex, on, {on.topic, 0}, 1);
        co_await wait_for_position(p, {on.topic, 0}, 1);
        co_await fill(ex, on, {on.topic, 0}, 1);
        co_await wait_for_position(p, {on.topic, 0}, 3);
        co_await p.end();
        EXPECT_EQ(p.who.taken, 1);
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("0", "0")); // one for each record
    });
}

// The mistake: to take what nobody heard for committed.
TEST(Transactor, WhatWasNotCommittedIsMadeAgain) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        std::vector<settled> told;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            do {
                auto tx = co_await p.by.begin(t);
                co_await tx->produce({on.output, 0}, "k", got.batch.front().value());
                if (told.empty()) {
                    auto fences = co_await twin_of(ex, on, "a");
                }
                std::vector<commit> offsets{{{on.topic, 0}, got.batch.front().offset() + 1, ""}};
                told.push_back(co_await tx->commit(std::move(offsets)));
            } while (told.back() == settled::undone);
        };
        co_await fill(ex, on, {on.topic, 0}, 1);
        co_await wait_for_position(p, {on.topic, 0}, 1);
        co_await p.end();
        EXPECT_THAT(told, ElementsAre(settled::undone, settled::committed));
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("0"));
    });
}

// The mistake: to go on from what one believes.
TEST(Transactor, WhoWasOvertakenTakesItsPartitionsAnewFromWhereTheyStand) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        const auto as_always = p.who.on_read;
        std::optional<settled> told;
        tenure_ptr former;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            if (told) {
                co_await as_always(std::move(t), std::move(got));
                co_return;
            }
            former = t;
            auto tx = co_await p.by.begin(t);
            co_await tx->produce({on.output, 0}, "k", "believed");
            auto twin = co_await twin_of(ex, on, "a");
            twin->begin();
            std::vector<commit> elsewhere{{{on.topic, 0}, 3, "somebody else"}};
            const auto done = co_await twin->commit(std::move(elsewhere), outside_any_group(on.group));
            EXPECT_EQ(done.outcome, outcome::committed) << done.why;
            std::vector<commit> offsets{{{on.topic, 0}, 1, ""}};
            told = co_await tx->commit(std::move(offsets));
        };
        co_await fill(ex, on, {on.topic, 0}, 5);
        co_await wait_for_position(p, {on.topic, 0}, 5);
        EXPECT_EQ(told, settled::over);
        EXPECT_TRUE(former->over());
        EXPECT_NE(p.who.now, former);
        EXPECT_EQ(p.who.taken, 2);
        EXPECT_EQ(p.who.left, 1);
        co_await p.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("3", "4"));
    });
}

// The mistake: fresh metadata for the work of an assignment that is past. Kafka would accept it.
TEST(Transactor, NothingIsCommittedInATenureThatIsPast) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process a{ex, on, "a"};
        co_await wait_for_tenure(a, 2);
        const auto former = a.who.now;
        process b{ex, on, "b"};
        co_await wait_for_tenure(b, 1);
        co_await wait_for_tenure(a, 1);
        EXPECT_TRUE(former->over());
        const auto refused = co_await a.by.begin(former);
        EXPECT_FALSE(refused.has_value());
        auto tx = co_await a.by.begin(a.who.now);
        EXPECT_TRUE(tx.has_value());
        std::vector<commit> theirs{{{on.topic, 1}, 7, "not ours"}};
        bool caught = false;
        try {
            co_await tx->commit(std::move(theirs));
        } catch (const std::logic_error& e) {
            caught = true;
            EXPECT_THAT(e.what(), HasSubstr(on.topic + "/1"));
        }
        EXPECT_TRUE(caught);
        tx.reset();
        for (std::int32_t p = 0; p < 2; ++p) {
            co_await fill(ex, on, {on.topic, p}, 3);
        }
        co_await wait_for_position(a, {on.topic, 0}, 3);
        co_await wait_for_position(b, {on.topic, 1}, 3);
        co_await a.end();
        co_await b.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, UnorderedElementsAre("0", "1", "2", "0", "1", "2"));
    });
}

// The mistake: to release partitions under a transaction that is still open. Its commit would be refused, and the next
// owner would do its work again.
TEST(Transactor, PartitionsGoOnlyWhenTheTransactionUnderWayHasEnded) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 1}, 6);
        const auto patient = [](transactor_options& o) { o.drain = 30s; };
        process a{ex, on, "a", patient};
        a.who.on_read = {};
        co_await wait_for_tenure(a, 2);
        const auto held = a.who.now;
        auto tx = co_await a.by.begin(held);
        co_await tx->produce({on.output, 1}, "k", "under way");
        process b{ex, on, "b"};
        const auto left = [&] { return a.who.left == 1; };
        co_await until(left, "the revocation");
        EXPECT_TRUE(held->ending());
        EXPECT_EQ(b.who.taken, 0);
        std::vector<commit> offsets{{{on.topic, 1}, 4, ""}};
        const auto became = co_await tx->commit(std::move(offsets));
        EXPECT_EQ(became, settled::committed);
        co_await wait_for_position(b, {on.topic, 1}, 6);
        co_await a.end();
        co_await b.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("under way", "4", "5"));
    });
}

// The mistake: metadata as fresh as the commit. Kafka would accept the offset of a partition that is b's by now.
TEST(Transactor, ATransactionThatOutlivesItsTenureIsRefused) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 1}, 6);
        const auto hasty = [](transactor_options& o) { o.drain = 300ms; };
        process a{ex, on, "a", hasty};
        a.who.on_read = {};
        co_await wait_for_tenure(a, 2);
        auto tx = co_await a.by.begin(a.who.now);
        co_await tx->produce({on.output, 1}, "k", "too late");
        process b{ex, on, "b"};
        co_await wait_for_tenure(b, 1);
        co_await wait_for_tenure(a, 1);
        std::vector<commit> offsets{{{on.topic, 1}, 4, "of the past"}};
        const auto became = co_await tx->commit(std::move(offsets));
        EXPECT_EQ(became, settled::over);
        co_await wait_for_position(b, {on.topic, 1}, 6);
        EXPECT_EQ(b.who.now->committed().at({on.topic, 1}).metadata, "copied");
        co_await a.end();
        co_await b.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("0", "1", "2", "3", "4", "5"));
    });
}

TEST(Transactor, WhoLeavesMayStillCommitUntilTheDrainIsOver) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 1}, 3);
        const auto hasty = [](transactor_options& o) { o.drain = 500ms; };
        process a{ex, on, "a", hasty};
        a.who.on_read = {};
        std::optional<settled> first;
        bool refused = false;
        a.who.on_leave = [&](tenure_ptr t) -> asio::awaitable<void> {
            if (first) {
                co_return; // at the end of the test
            }
            auto tx = co_await a.by.begin(t);
            std::vector<commit> offsets{{{on.topic, 1}, 2, "while leaving"}};
            first = co_await tx->commit(std::move(offsets));
            tx.reset();
            while (!t->over()) { // one that does not get done
                co_await runtime::sleep(10ms);
            }
            refused = !(co_await a.by.begin(t)).has_value();
        };
        co_await wait_for_tenure(a, 2);
        process b{ex, on, "b"};
        co_await wait_for_tenure(b, 1);
        EXPECT_EQ(first, settled::committed);
        EXPECT_TRUE(refused);
        co_await wait_for_position(b, {on.topic, 1}, 3);
        co_await a.end();
        co_await b.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("2")) << "b went on from there";
    });
}

// The mistake: to try again for ever under a membership that is gone.
TEST(Transactor, WhoIsFencedFromTheGroupIsToldThatItIsOver) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process former{ex, on, "a"};
        co_await wait_for_tenure(former, 1);
        const auto held = former.who.now;
        auto tx = co_await former.by.begin(held);
        co_await tx->produce({on.output, 0}, "k", "zombie");
        // In the same place of the group, with another transactional id: only the group can tell them apart.
        const auto other = [&](transactor_options& o) { o.transactional_id = on.group + ".other"; };
        process latter{ex, on, "a", other};
        co_await wait_for_tenure(latter, 1);
        std::vector<commit> offsets{{{on.topic, 0}, 1, ""}};
        const auto became = co_await tx->commit(std::move(offsets));
        EXPECT_EQ(became, settled::over);
        EXPECT_TRUE(held->over());
        co_await former.ended();
        EXPECT_THAT(former.failure, HasSubstr("group.instance.id"));
        co_await latter.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, IsEmpty());
    });
}

TEST(Transactor, WhatIsLeftOpenIsAbortedBeforeTheNext) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        co_await wait_for_tenure(p, 1);
        {
            auto tx = co_await p.by.begin(p.who.now);
            co_await tx->produce({on.output, 0}, "k", "left open");
        }
        auto next = co_await p.by.begin(p.who.now);
        co_await next->produce({on.output, 0}, "k", "whole");
        std::vector<commit> offsets{{{on.topic, 0}, 0, "said"}};
        const auto became = co_await next->commit(std::move(offsets));
        EXPECT_EQ(became, settled::committed);
        bool caught = false;
        try {
            co_await next->abort();
        } catch (const std::logic_error&) {
            caught = true;
        }
        EXPECT_TRUE(caught) << "it has ended";
        co_await p.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("whole"));
    });
}

TEST(Transactor, MakesOneTransactionAtATime) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        co_await wait_for_tenure(p, 1);
        std::optional<transaction> first{co_await p.by.begin(p.who.now)};
        bool second = false;
        const auto also = [](process& p, const ground& on, bool& done) -> asio::awaitable<void> {
            auto tx = co_await p.by.begin(p.who.now);
            co_await tx->produce({on.output, 0}, "k", "second");
            std::vector<commit> offsets{{{on.topic, 0}, 0, "second"}};
            const auto became = co_await tx->commit(std::move(offsets));
            done = became == settled::committed;
        };
        asio::co_spawn(ex, also(p, on, second), [](std::exception_ptr) {});
        co_await first->produce({on.output, 0}, "k", "first");
        std::vector<commit> offsets{{{on.topic, 0}, 0, "first"}};
        EXPECT_FALSE(second);
        const auto became = co_await first->commit(std::move(offsets));
        EXPECT_EQ(became, settled::committed);
        const auto done = [&] { return second; };
        co_await until(done, "the second to follow");
        co_await p.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("first", "second"));
    });
}

TEST(Transactor, WhatIsTrueWhoeverOwnsThePartitionsNeedsNoTenure) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        co_await wait_for_tenure(p, 1);
        auto tx = co_await p.by.begin(nullptr);
        co_await tx->produce({on.output, 0}, "k", "evidence");
        const auto became = co_await tx->commit({});
        EXPECT_EQ(became, settled::committed);
        auto other = co_await p.by.begin(nullptr);
        bool caught = false;
        try {
            std::vector<commit> offsets{{{on.topic, 0}, 1, ""}};
            co_await other->commit(std::move(offsets));
        } catch (const std::logic_error&) {
            caught = true;
        }
        EXPECT_TRUE(caught);
        other.reset();
        co_await p.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("evidence"));
    });
}

TEST(Transactor, AgainTakesThePartitionsFromWhereTheTenantSays) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        process p{ex, on, "a"};
        std::vector<std::string> read;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            for (const auto& one : got.batch) {
                read.emplace_back(one.value());
            }
            if (p.who.taken == 1 && read.size() == 2) {
                p.by.again(t);
                EXPECT_TRUE(t->over());
            }
            co_return;
        };
        co_await fill(ex, on, {on.topic, 0}, 2);
        const auto twice = [&] { return read.size() == 4; };
        co_await until(twice, "everything to be read again");
        EXPECT_EQ(p.who.taken, 2);
        co_await p.end();
        EXPECT_THAT(read, ElementsAre("0", "1", "0", "1"));
    });
}

// The mistake: to hear the group only between batches. A process that waits for PostgreSQL would hold up all others.
TEST(Transactor, WhoIsLongAboutItsRecordsHearsThatItsPartitionsAreWanted) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        const auto impatient = [](transactor_options& o) { o.long_read = 100ms; };
        process a{ex, on, "a", impatient};
        const auto as_always = a.who.on_read;
        bool reading = false;
        a.who.on_read = [&](tenure_ptr t, records) -> asio::awaitable<void> {
            reading = true;
            while (!t->ending()) {
                co_await runtime::sleep(10ms);
            }
        };
        co_await fill(ex, on, {on.topic, 1}, 3);
        const auto is_reading = [&] { return reading; };
        co_await until(is_reading, "the records");
        process b{ex, on, "b"};
        co_await wait_for_tenure(b, 1);
        a.who.on_read = as_always;
        co_await wait_for_position(b, {on.topic, 1}, 3);
        co_await a.end();
        co_await b.end();
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("0", "1", "2"));
    });
}

// The mistake: to lose what was fetched meanwhile, or to give it away after a seek.
TEST(Transactor, ALongReadNeitherLosesNorRepeatsARecord) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        const auto impatient = [](transactor_options& o) {
            o.long_read = 50ms;
            o.batch = 1;
        };
        process p{ex, on, "a", impatient};
        std::vector<std::string> read;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            for (const auto& one : got.batch) {
                read.emplace_back(one.value());
            }
            if (read.size() == 1) {
                co_await runtime::sleep(1s);
            } else if (read.size() == 4) {
                p.by.seek(t, {on.topic, 0}, 1);
                co_await runtime::sleep(1s);
                p.by.seek(t, {on.topic, 0}, 2);
            }
        };
        co_await fill(ex, on, {on.topic, 0}, 6);
        const auto all = [&] { return read.size() == 8; };
        co_await until(all, "all records");
        co_await p.end();
        EXPECT_THAT(read, ElementsAre("0", "1", "2", "3", "2", "3", "4", "5"));
    });
}

TEST(Transactor, AMinuteOfTryingInVainEndsIt) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        const auto brief = [](transactor_options& o) { o.stall_after = 1s; };
        process p{ex, on, "a", brief};
        int undone = 0;
        p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
            for (;;) {
                auto tx = co_await p.by.begin(t);
                // More than Kafka takes.
                std::vector<commit> offsets{{got.batch.front().at(), 1, std::string(5'000, 'x')}};
                if (co_await tx->commit(std::move(offsets)) == settled::undone) {
                    ++undone;
                }
            }
        };
        co_await fill(ex, on, {on.topic, 0}, 1);
        co_await p.ended();
        EXPECT_THAT(p.failure, HasSubstr("no transaction was committed in 1 s of trying"));
        EXPECT_GE(undone, 2) << "not at the first";
    });
}

} // namespace
} // namespace semel::kafka::test
