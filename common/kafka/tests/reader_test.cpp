#include "support.hpp"

#include <kafka/group_progress.hpp>
#include <kafka/retention.hpp>

#include <gmock/gmock.h>

#include <map>

namespace semel::kafka::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// One offset, in a transaction of a member that then leaves.
void commit_as_member(const ground& on, commit one) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        consumer member{ex, on.member("a")};
        const auto given = co_await expect_next<assigned>(member);
        co_await begin_at_committed(member, given);
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        writer.begin();
        const auto result = co_await writer.commit({std::move(one)}, member.current_membership());
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        co_await member.close();
    });
}

TEST(Reader, FollowsATopicAndTellsItsEndOnce) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 0}, 3);
        co_await fill(ex, on, {on.topic, 1}, 2);
        reader all{ex, {.bootstrap = broker()}};
        must(co_await all.from_beginning(on.topic));
        EXPECT_FALSE(all.at_end());
        std::size_t read = 0;
        for (auto batch = co_await all.next(); !batch.empty(); batch = co_await all.next()) {
            read += batch.size();
        }
        EXPECT_EQ(read, 5u);
        EXPECT_TRUE(all.at_end());

        co_await fill(ex, on, {on.topic, 1}, 4);
        must(co_await all.refresh_end());
        EXPECT_FALSE(all.at_end());
        read = 0;
        for (auto batch = co_await all.next(); !batch.empty(); batch = co_await all.next()) {
            read += batch.size();
        }
        EXPECT_EQ(read, 4u);
        EXPECT_TRUE(all.at_end());
    });
}

TEST(Reader, AnEmptyTopicEndsAtOnce) {
    const ground on{3};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        const auto nothing = co_await contents(ex, on.topic);
        EXPECT_THAT(nothing, IsEmpty());
    });
}

TEST(Reader, ReadsASpanFromWhereItIsTold) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 1}, 10);
        reader span{ex, {.bootstrap = broker(), .batch = 4}};
        const std::vector<start> from{{{on.topic, 1}, 7}};
        span.assign(from);
        std::vector<offset> offsets;
        while (offsets.size() < 3) {
            for (const auto& one : co_await span.next()) {
                offsets.push_back(one.offset());
            }
        }
        EXPECT_THAT(offsets, ElementsAre(7, 8, 9));
        const std::vector<start> again{{{on.topic, 1}, 2}};
        span.assign(again);
        const auto batch = co_await span.next();
        EXPECT_EQ(batch.front().offset(), 2);
    });
}

TEST(Reader, TellsATombstoneFromAnEmptyValue) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        writer.begin();
        co_await writer.produce({on.output, 0}, "empty", "");
        co_await writer.produce_tombstone({on.output, 0}, "gone");
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
        reader all{ex, {.bootstrap = broker()}};
        must(co_await all.from_beginning(topic_partition{on.output, 0}));
        std::map<std::string, bool> tombstones;
        for (auto batch = co_await all.next(); !batch.empty(); batch = co_await all.next()) {
            for (const auto& one : batch) {
                tombstones[std::string{one.key()}] = one.is_tombstone();
            }
        }
        EXPECT_EQ(tombstones, (std::map<std::string, bool>{{"empty", false}, {"gone", true}}));
    });
}

TEST(Reader, AMissingTopicIsToldInWords) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        reader all{ex, {.bootstrap = broker()}};
        const auto missing = co_await all.from_beginning(fresh("missing"));
        EXPECT_FALSE(missing.has_value());
        EXPECT_THAT(missing.error().why(), HasSubstr("does not exist"));
    });
}

TEST(Admin, CreatesOnceAndRefusesWhatDiffers) {
    admin kafka{broker()};
    must(kafka.wait_until_ready(10s));
    const auto name = fresh("admin");
    const std::vector<topic_spec> three{{name, 3, true, {{"min.cleanable.dirty.ratio", "0.1"}}}};
    must(kafka.create_topics(three));
    must(kafka.create_topics(three));
    EXPECT_EQ(must(kafka.partitions(name)), 3);
    EXPECT_EQ(must(kafka.topic_config(name)).at("cleanup.policy"), "compact");
    EXPECT_EQ(must(kafka.topic_config(name)).at("min.cleanable.dirty.ratio"), "0.1");

    const std::vector<topic_spec> four{{name, 4, true, {}}};
    const auto fewer = kafka.create_topics(four);
    ASSERT_FALSE(fewer.has_value());
    EXPECT_THAT(fewer.error().why(), HasSubstr("has 3 partitions, 4 are wanted"));
    const std::vector<topic_spec> deleting{{name, 3, false, {}}};
    const auto policy = kafka.create_topics(deleting);
    ASSERT_FALSE(policy.has_value());
    EXPECT_THAT(policy.error().why(), HasSubstr("cleanup.policy=compact"));

    const std::vector<std::string> names{name};
    must(kafka.delete_topics(names));
    must(kafka.delete_topics(names));
    const auto gone = kafka.partitions(name);
    ASSERT_FALSE(gone.has_value());
    EXPECT_THAT(gone.error().why(), HasSubstr("does not exist"));
}

TEST(Admin, FirstOffsetsNeverMoveWhatIsThere) {
    ground on{2};
    const std::vector<topic_spec> topics{{on.topic, 2, false, {}}};
    commit_as_member(on, {{on.topic, 1}, 9, "mine"});
    must(on.kafka.write_first_offsets(on.group, topics));
    const auto lag = must(on.kafka.group_lag(on.group, on.topic));
    ASSERT_THAT(lag, SizeIs(2));
    EXPECT_EQ(lag[0].committed, 0);
    EXPECT_EQ(lag[1].committed, 9);
    EXPECT_EQ(lag[1].metadata, "mine");
    const auto stranger = must(on.kafka.group_lag(fresh("stranger"), on.topic));
    EXPECT_EQ(stranger[0].committed, -1);
}

TEST(GroupProgress, FollowsWhatIsWrittenAndCommittedOverTopics) {
    ground on{2};
    const std::vector<topic_spec> second{{fresh("second"), 1, false, {}}};
    must(on.kafka.create_topics(second));
    const topic_partition other{second.front().name, 0};
    group_progress progress{broker(), on.group, {{on.topic, 0}, {on.topic, 1}, other}};
    const auto read = [&] {
        std::vector<std::pair<offset, offset>> out;
        for (const auto& one : must(progress.read())) {
            out.emplace_back(one.committed, one.end);
        }
        return out;
    };
    using pairs = std::vector<std::pair<offset, offset>>;
    EXPECT_EQ(read(), (pairs{{0, 0}, {0, 0}, {0, 0}})) << "a group without offsets";
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await fill(ex, on, {on.topic, 1}, 3);
        co_await fill(ex, on, other, 2);
    });
    const auto written = read();
    EXPECT_EQ(written[0], (std::pair<offset, offset>{0, 0}));
    EXPECT_GE(written[1].second, 3) << "and the markers of transactions";
    EXPECT_GE(written[2].second, 2);
    commit_as_member(on, {{on.topic, 1}, 2, {}});
    EXPECT_EQ(read()[1].first, 2);
    const auto now = read();
    const auto lags = must(on.kafka.group_lag(on.group, on.topic));
    for (std::size_t p = 0; p < lags.size(); ++p) {
        EXPECT_EQ(now[p].second, lags[p].end) << "asked in another way";
    }
}

TEST(GroupProgress, SaysThatNobodyAnswers) {
    group_progress progress{cluster{"127.0.0.1:1"}, "anybody", {{"nothing", 0}}};
    const auto read = progress.read();
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().what(), base::fault::kind::unreachable);
}

TEST(Admin, DeletedRecordsAreGoneAndTheOthersKeepTheirOffsets) {
    ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("a")};
        co_await writer.init();
        writer.begin();
        for (int i = 0; i < 5; ++i) {
            topic_partition to{on.topic, 1};
            co_await writer.produce(std::move(to), {}, std::to_string(i));
        }
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
    });
    const std::vector<start> settled{{{on.topic, 0}, 0}, {{on.topic, 1}, 3}};
    must(on.kafka.delete_records(settled));
    must(on.kafka.delete_records(settled));
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        reader all{ex, {.bootstrap = broker()}};
        must(co_await all.from_beginning(topic_partition{on.topic, 1}));
        std::vector<offset> left;
        for (auto batch = co_await all.next(); !batch.empty(); batch = co_await all.next()) {
            for (const auto& one : batch) {
                left.push_back(one.offset());
            }
        }
        EXPECT_THAT(left, ElementsAre(3, 4));
    });
    const std::vector<start> beyond{{{on.topic, 1}, 99}};
    EXPECT_FALSE(on.kafka.delete_records(beyond).has_value()) << "what is not there cannot be deleted";
}

TEST(Admin, ABrokerThatIsNotThereIsUnreachable) {
    admin kafka{"127.0.0.1:1"};
    const auto ready = kafka.wait_until_ready(500ms);
    ASSERT_FALSE(ready.has_value());
    EXPECT_EQ(ready.error().what(), base::fault::kind::unreachable);
}

TEST(Admin, ATopicThatForgetsIsRefused) {
    admin kafka{broker()};
    const std::vector<topic_spec> keeps{{fresh("keeps"), 1, false, {{"retention.ms", "-1"}}}};
    const std::vector<topic_spec> forgets{{fresh("forgets"), 1, false, {{"retention.ms", "1000000"}}}};
    must(kafka.create_topics(keeps));
    must(kafka.create_topics(forgets));
    must(check_retention(kafka, keeps)); // deploy/backing keeps offsets for a year, as a broker for Semel must
    auto wanted = forgets;
    wanted.front().config.clear();
    const auto refused = check_retention(kafka, wanted);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().why(), HasSubstr("retention.ms is 1000000"));
}

} // namespace
} // namespace semel::kafka::test
