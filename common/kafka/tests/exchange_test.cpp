// Transactions against a real broker: what is committed is read, what is aborted never was, and a fenced producer
// knows that it does not know.

#include "support.hpp"

#include <gmock/gmock.h>

namespace semel::kafka::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Exchange, RecordsOffsetsAndMetadataAreOneTransaction) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 5);
        consumer member{ex, on.member("a")};
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        const auto given = co_await expect_next<assigned>(member);
        EXPECT_THAT(given.partitions, ElementsAre(topic_partition{on.topic, 0}));
        const auto before = co_await begin_at_committed(member, given);
        EXPECT_EQ(before.at(0).next, 0);
        EXPECT_EQ(before.at(0).metadata, "");
        const auto as = member.current_membership();

        std::vector<std::string> seen;
        while (seen.size() < 5) {
            const auto arrived = co_await expect_next<records>(member);
            for (const auto& one : arrived.batch) {
                EXPECT_EQ(one.at().topic, on.topic);
                EXPECT_EQ(one.key(), "k");
                EXPECT_EQ(one.offset(), static_cast<offset>(seen.size()));
                EXPECT_GT(one.timestamp_ms(), 1'600'000'000'000);
                seen.emplace_back(one.value());
            }
        }
        EXPECT_THAT(seen, ElementsAre("0", "1", "2", "3", "4"));

        writer.begin();
        EXPECT_TRUE(writer.in_transaction());
        co_await writer.produce({on.output, 0}, "k", "transformed");
        std::vector<commit> offsets{{{on.topic, 0}, 5, "owner=7 window=[5,9)"}};
        const auto result = co_await writer.commit(std::move(offsets), as);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        EXPECT_FALSE(writer.in_transaction());

        const auto after = must(co_await member.committed({{on.topic, 0}}));
        EXPECT_EQ(after.at(0).next, 5);
        EXPECT_EQ(after.at(0).metadata, "owner=7 window=[5,9)");
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("transformed"));
        co_await member.close();
    });
    // What the coordinator keeps is also what tools see.
    ground tools = ground{};
    const auto lag = must(tools.kafka.group_lag(on.group, on.topic));
    ASSERT_THAT(lag, SizeIs(1));
    EXPECT_EQ(lag[0].committed, 5);
    EXPECT_EQ(lag[0].end, 6); // five records and the marker of their commit
    EXPECT_EQ(lag[0].metadata, "owner=7 window=[5,9)");
}

TEST(Exchange, AnAbortedTransactionNeverWas) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "never");
        co_await writer.abort();
        EXPECT_FALSE(writer.in_transaction());
        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "second");
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("second"));
    });
}

TEST(Exchange, AnOpenTransactionIsNotReadAndItsSuccessorEndsIt) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer crashed{ex, on.transactional("a")};
        co_await crashed.init();
        crashed.begin();
        for (int i = 0; i < 1'000; ++i) {
            co_await crashed.produce({on.output, 0}, "k", "half");
        }
        transactional_producer successor{ex, on.transactional("a")};
        co_await successor.init();
        successor.begin();
        co_await successor.produce({on.output, 0}, "k", "whole");
        const auto result = co_await successor.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("whole"));
    });
}

TEST(Exchange, AFencedProducerDoesNotKnowAndAfterRebuildItWorks) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer zombie{ex, on.transactional("a")};
        co_await zombie.init();
        transactional_producer successor{ex, on.transactional("a")};
        co_await successor.init();

        zombie.begin();
        co_await zombie.produce({on.output, 0}, "k", "zombie");
        const auto fenced = co_await zombie.commit({}, nullptr);
        EXPECT_EQ(fenced.outcome, outcome::unknown);
        EXPECT_THAT(fenced.why, HasSubstr("producer"));
        EXPECT_THROW(zombie.begin(), std::logic_error);

        co_await zombie.rebuild();
        zombie.begin();
        co_await zombie.produce({on.output, 0}, "k", "reborn");
        const auto result = co_await zombie.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("reborn"));
    });
}

TEST(Exchange, MetadataIsCarriedUpTo4096BytesAndFailsTheTransactionBeyond) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        const auto as = member.current_membership();
        const std::string fits(4'096, 'x');

        writer.begin();
        std::vector<commit> good{{{on.topic, 0}, 1, fits}};
        const auto carried = co_await writer.commit(std::move(good), as);
        EXPECT_EQ(carried.outcome, outcome::committed) << carried.why;

        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "with too much");
        std::vector<commit> bad{{{on.topic, 0}, 2, fits + "x"}};
        const auto refused = co_await writer.commit(std::move(bad), as);
        EXPECT_EQ(refused.outcome, outcome::aborted);
        EXPECT_THAT(refused.why, HasSubstr("OFFSET_METADATA_TOO_LARGE"));

        const auto now = must(co_await member.committed({{on.topic, 0}}));
        EXPECT_EQ(now.at(0).next, 1);
        EXPECT_EQ(now.at(0).metadata, fits);
        // aborted: the same producer goes on.
        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "next");
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("next"));
    });
}

TEST(Exchange, CommittedWaitsForAnOpenTransaction) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        // One transaction right after the other: a reader of the offsets never meets the one in between.
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        for (offset next = 1; next <= 20; ++next) {
            writer.begin();
            std::vector<commit> offsets{{{on.topic, 0}, next, std::to_string(next)}};
            const auto result = co_await writer.commit(std::move(offsets), member.current_membership());
            EXPECT_EQ(result.outcome, outcome::committed) << result.why;
            const auto now = must(co_await member.committed({{on.topic, 0}}));
            EXPECT_EQ(now.at(0).next, next);
            EXPECT_EQ(now.at(0).metadata, std::to_string(next));
        }
    });
}

TEST(Exchange, ARefusedRecordAbortsTheWholeTransaction) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "beside it");
        co_await writer.produce({on.output, 0}, "k", std::string(3'000'000, 'x'));
        const auto refused = co_await writer.commit({}, nullptr);
        EXPECT_EQ(refused.outcome, outcome::aborted);
        EXPECT_THAT(refused.why, HasSubstr("MSG_SIZE_TOO_LARGE"));
        writer.begin();
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, IsEmpty());
    });
}

TEST(Exchange, MisuseIsNamed) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("a")};
        EXPECT_THROW(writer.begin(), std::logic_error);
        co_await writer.init();
        EXPECT_THROW(std::ignore = writer.try_produce({on.output, 0}, "k", "v"), std::logic_error);
        writer.begin();
        EXPECT_THROW(writer.begin(), std::logic_error);
        consumer member{ex, on.member("a")};
        const auto as = member.current_membership();
        std::vector<commit> negative{{{on.topic, 0}, -1, ""}};
        bool thrown = false;
        try {
            co_await writer.commit(std::move(negative), as);
        } catch (const std::logic_error& e) {
            thrown = true;
            EXPECT_THAT(e.what(), HasSubstr(on.topic + "/0"));
        }
        EXPECT_TRUE(thrown);
    });
}

TEST(Exchange, AStaleMembershipIsRefused) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer first{ex, on.member("a")};
        const auto given = co_await expect_next<assigned>(first);
        co_await begin_at_committed(first, given);
        const auto old = first.current_membership();
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();

        consumer second{ex, on.member("b")};
        const auto taken = co_await expect_next<revoked>(first);
        EXPECT_FALSE(taken.lost);
        first.release(taken);
        const auto kept = co_await expect_next<assigned>(first);
        EXPECT_THAT(kept.partitions, ElementsAre(topic_partition{on.topic, 0}));

        writer.begin();
        co_await writer.produce({on.output, 0}, "k", "from the former generation");
        std::vector<commit> offsets{{{on.topic, 1}, 1, "stale"}};
        const auto refused = co_await writer.commit(std::move(offsets), old);
        EXPECT_EQ(refused.outcome, outcome::aborted);
        EXPECT_THAT(refused.why, HasSubstr("ILLEGAL_GENERATION"));
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, IsEmpty());
    });
}

TEST(Send, ReturnsWhenTheBrokerHasIt) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        producer_options options;
        options.bootstrap = broker();
        producer plain{ex, options};
        must(co_await plain.send({on.output, 0}, "k", "v"));
        const auto nowhere = co_await plain.send({fresh("missing"), 0}, "k", "v");
        EXPECT_FALSE(nowhere.has_value());
        EXPECT_THAT(nowhere.error().why(), HasSubstr("missing"));
        const auto output = co_await contents(ex, on.output);
        EXPECT_THAT(output, ElementsAre("v"));
    });
}

} // namespace
} // namespace semel::kafka::test
