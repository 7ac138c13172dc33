// Who reads what: assignment, revocation, fencing, closing, seeking.

#include "support.hpp"

#include <kafka/leave_group.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <support/slowness.hpp>

#include <algorithm>
#include <iostream>
#include <set>

namespace semel::kafka::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A member that takes and gives as it is told, and notes what happened.
struct diary {
    std::vector<topic_partition> holds;
    int revocations = 0;
    bool stopped = false;
    std::string failure;
    std::set<std::string> read;
};

asio::awaitable<void> live(consumer& member, diary& notes) {
    try {
        for (;;) {
            auto happened = co_await member.next();
            if (auto* given = std::get_if<assigned>(&happened)) {
                co_await begin_at_committed(member, *given);
                notes.holds = given->partitions;
            } else if (auto* taken = std::get_if<revoked>(&happened)) {
                ++notes.revocations;
                notes.holds.clear();
                member.release(*taken);
            } else if (auto* arrived = std::get_if<records>(&happened)) {
                for (const auto& one : arrived->batch) {
                    EXPECT_EQ(std::ranges::count(notes.holds, one.at()), 1) << "a record of a partition not held";
                    notes.read.insert(fmt::format("{}/{}", one.at().partition, one.value()));
                }
            } else {
                notes.stopped = true;
                co_return;
            }
        }
    } catch (const std::exception& e) {
        notes.failure = e.what();
        std::cout << "a member's life ended: " << notes.failure << '\n';
    }
}

TEST(Membership, TwoMembersShareByRange) {
    const ground on{4};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer first{ex, on.member("a")};
        diary a;
        diary b;
        asio::co_spawn(ex, live(first, a), asio::detached);
        const auto all = [&] { return a.holds.size() == 4; };
        co_await until(all, "the first member has everything");
        consumer second{ex, on.member("b")};
        asio::co_spawn(ex, live(second, b), asio::detached);
        const auto shared = [&] { return a.holds.size() == 2 && b.holds.size() == 2; };
        co_await until(shared, "both have a half");
        EXPECT_THAT(a.holds, ElementsAre(topic_partition{on.topic, 0}, topic_partition{on.topic, 1}));
        EXPECT_THAT(b.holds, ElementsAre(topic_partition{on.topic, 2}, topic_partition{on.topic, 3}));
        EXPECT_EQ(a.revocations, 1);
        for (std::int32_t p = 0; p < 4; ++p) {
            co_await fill(ex, on, {on.topic, p}, 10);
        }
        const auto read = [&] { return a.read.size() + b.read.size() == 40; };
        co_await until(read, "all records are read, each by one");
        co_await first.close();
        co_await second.close();
        EXPECT_TRUE(a.stopped);
        EXPECT_TRUE(b.stopped);
    });
}

TEST(Membership, WhoIsGoneForGoodIsTakenOutOfTheGroup) {
    const ground on{4};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto patient = on.member("a");
        patient.session_timeout = 45s;
        consumer first{ex, patient};
        auto leaving = on.member("b");
        leaving.session_timeout = 45s;
        diary a;
        asio::co_spawn(ex, live(first, a), asio::detached);
        {
            consumer second{ex, leaving};
            diary b;
            asio::co_spawn(ex, live(second, b), asio::detached);
            const auto shared = [&] { return a.holds.size() == 2 && b.holds.size() == 2; };
            co_await until(shared, "both have a half");
            co_await second.close();
            const auto ended = [&] { return b.stopped; };
            co_await until(ended, "its life to end");
        }
        // `until` is patient for 30 s, a session for 45.
        const auto gone = co_await leave_group(broker(), on.group, {"b", "never-was"});
        EXPECT_TRUE(gone) << gone.error().why();
        const auto all = [&] { return a.holds.size() == 4; };
        co_await until(all, "the other has everything");
        co_await first.close();
        const auto ended = [&] { return a.stopped; };
        co_await until(ended, "the end");
    });
}

TEST(Membership, NobodyLeavesThroughAKafkaThatIsAway) {
    play([&](asio::any_io_executor) -> asio::awaitable<void> {
        const auto gone = co_await leave_group("127.0.0.1:1", "g", {"b"});
        EXPECT_FALSE(gone);
        if (!gone) {
            EXPECT_THAT(gone.error().why(), HasSubstr("refused"));
        }
    });
}

TEST(Membership, CloseTellsTheWaitingMemberAndEndsWithStopped) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        diary notes;
        asio::co_spawn(ex, live(member, notes), asio::detached);
        const auto holds = [&] { return !notes.holds.empty(); };
        co_await until(holds, "the assignment");
        const auto began = std::chrono::steady_clock::now();
        co_await member.close();
        EXPECT_LT(std::chrono::steady_clock::now() - began, 5s * support::slowness);
        const auto told = [&] { return notes.stopped; };
        co_await until(told, "next() ends");
        EXPECT_EQ(notes.revocations, 1);
        EXPECT_EQ(notes.failure, "");
        co_await expect_next<stopped>(member); // and stays so
    });
}

TEST(Membership, CloseWithoutAnybodyWaitingAnswersItself) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 100);
        consumer member{ex, on.member("a")};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        co_await expect_next<records>(member);
        const auto began = std::chrono::steady_clock::now();
        co_await member.close();
        EXPECT_LT(std::chrono::steady_clock::now() - began, 5s * support::slowness);
        co_await expect_next<stopped>(member);
    });
}

TEST(Membership, ASecondProcessWithTheSameInstanceFencesTheFirst) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer first{ex, on.member("a")};
        diary former;
        asio::co_spawn(ex, live(first, former), asio::detached);
        const auto holds = [&] { return !former.holds.empty(); };
        co_await until(holds, "the assignment");
        const auto as = first.current_membership();

        consumer second{ex, on.member("a")};
        diary latter;
        asio::co_spawn(ex, live(second, latter), asio::detached);
        const auto fenced = [&] { return !former.failure.empty() && !latter.holds.empty(); };
        co_await until(fenced, "the second has it, the first is fenced");
        EXPECT_THAT(former.failure, HasSubstr("group.instance.id"));

        transactional_producer writer{ex, on.transactional("former")};
        co_await writer.init();
        writer.begin();
        std::vector<commit> offsets{{{on.topic, 0}, 1, "zombie"}};
        const auto refused = co_await writer.commit(std::move(offsets), as);
        EXPECT_EQ(refused.outcome, outcome::aborted) << refused.why;
        co_await second.close();
        const auto told = [&] { return latter.stopped; };
        co_await until(told, "next() ends");
    });
}

TEST(Membership, AfterRevokedNoRecordComesAndAfterBeginOnlyNewOnes) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        for (std::int32_t p = 0; p < 2; ++p) {
            co_await fill(ex, on, {on.topic, p}, 5'000);
        }
        auto options = on.member("a");
        options.batch = 10; // most of it is still in the queue when the rebalance comes
        consumer first{ex, options};
        const auto given = co_await expect_next<assigned>(first);
        co_await begin_at_committed(first, given);
        co_await expect_next<records>(first);
        consumer second{ex, on.member("b")};
        for (;;) {
            auto happened = co_await first.next();
            if (auto* taken = std::get_if<revoked>(&happened)) {
                first.release(*taken);
                break;
            }
            EXPECT_TRUE(std::holds_alternative<records>(happened));
        }
        const auto kept = co_await expect_next<assigned>(first);
        EXPECT_THAT(kept.partitions, ElementsAre(topic_partition{on.topic, 0}));
        const std::vector<start> from{{{on.topic, 0}, 42}};
        first.begin(from);
        const auto arrived = co_await expect_next<records>(first);
        EXPECT_EQ(arrived.batch.front().offset(), 42);
    });
}

TEST(Membership, SeekDropsWhatWasFetchedBefore) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 5'000);
        auto options = on.member("a");
        options.batch = 100;
        consumer member{ex, options};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        for (const offset to : {4'000, 7, 2'500, 0}) {
            co_await expect_next<records>(member); // the queue is full of others behind it
            member.seek({on.topic, 0}, to);
            offset expected = to;
            for (int batches = 0; batches < 3; ++batches) {
                const auto arrived = co_await expect_next<records>(member);
                for (const auto& one : arrived.batch) {
                    EXPECT_EQ(one.offset(), expected++);
                }
            }
        }
        EXPECT_THROW(member.seek({on.topic, 99}, 0), std::logic_error);
    });
}

TEST(Membership, PauseHoldsBackAndResumeGoesOn) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 1'000);
        auto options = on.member("a");
        options.batch = 100;
        consumer member{ex, options};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        offset expected = 0;
        const auto take = [&](const records& arrived) {
            for (const auto& one : arrived.batch) {
                EXPECT_EQ(one.offset(), expected++);
            }
        };
        auto first = co_await expect_next<records>(member);
        take(first);
        const std::vector<topic_partition> one{{on.topic, 0}};
        member.pause(one);
        member.resume(one);
        while (expected < 1'000) {
            auto arrived = co_await expect_next<records>(member);
            take(arrived);
        }
    });
}

TEST(Membership, RecordsOutliveTheirConsumer) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 3);
        records kept;
        {
            consumer member{ex, on.member("a")};
            const auto given = co_await expect_next<assigned>(member);
            co_await begin_at_committed(member, given);
            kept = co_await expect_next<records>(member);
            co_await member.close();
        }
        EXPECT_EQ(kept.batch.front().value(), "0");
        EXPECT_EQ(kept.batch.front().at().topic, on.topic);
    });
}

TEST(Membership, AGroupWithoutAnOffsetIsToldInWords) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto options = on.member("a");
        options.group = fresh("without");
        consumer member{ex, options};
        const auto given = co_await expect_next<assigned>(member);
        const auto missing = co_await member.committed(given.partitions);
        EXPECT_FALSE(missing.has_value());
        EXPECT_EQ(missing.error().what(), base::fault::kind::broken);
        EXPECT_THAT(missing.error().why(), HasSubstr("has no offset for " + on.topic + "/0"));
    });
}

TEST(Membership, APositionThatIsGoneIsAnErrorNotASkip) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        co_await expect_next<assigned>(member);
        const std::vector<start> beyond{{{on.topic, 0}, 1'000'000}};
        member.begin(beyond);
        std::string why;
        try {
            co_await member.next();
        } catch (const std::runtime_error& e) {
            why = e.what();
        }
        EXPECT_THAT(why, HasSubstr(on.topic + "/0"));
        EXPECT_THAT(why, HasSubstr("Nothing was skipped"));
    });
}

TEST(Membership, ATopicThatDoesNotExistIsToldInWords) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto options = on.member("a");
        options.topics = {fresh("missing")};
        consumer member{ex, options};
        std::string why;
        try {
            co_await member.next();
        } catch (const std::runtime_error& e) {
            why = e.what();
        }
        EXPECT_THAT(why, HasSubstr("does not exist"));
        EXPECT_THAT(why, HasSubstr("missing"));
    });
}

TEST(Membership, NextCanBeCancelledAndLosesNothing) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        asio::cancellation_signal stop;
        bool ended = false;
        asio::co_spawn(ex, member.next(),
                       asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, event) {
                           ended = true;
                           EXPECT_TRUE(thrown != nullptr);
                       }));
        asio::steady_timer pause{ex, 50ms};
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_FALSE(ended);
        stop.emit(asio::cancellation_type::terminal);
        const auto over = [&] { return ended; };
        co_await until(over, "the cancelled next() ends");
        co_await fill(ex, on, {on.topic, 0}, 3);
        const auto arrived = co_await expect_next<records>(member);
        EXPECT_EQ(arrived.batch.front().offset(), 0);
    });
}

} // namespace
} // namespace semel::kafka::test
