// Whoever can write to Kafka: what it writes is given to nobody, and holds nobody up.

#include "support.hpp"

#include <gmock/gmock.h>
#include <support/raw_records.hpp>

namespace semel::kafka::test {
namespace {

using support::refused;
using support::write_raw;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

asio::awaitable<void> write(asio::any_io_executor ex, topic_partition to, std::string key, std::string value) {
    producer plain{ex, {.bootstrap = broker(), .transactional_id = {}}};
    must(co_await plain.send(std::move(to), std::move(key), std::move(value)));
}

struct copied {
    std::string key, value, mac;
};
/// The first record of a topic, with its MAC.
asio::awaitable<copied> first_of(asio::any_io_executor ex, std::string topic) {
    reader all{ex, {.bootstrap = broker()}};
    must(co_await all.from_beginning(std::move(topic)));
    const auto batch = co_await all.next();
    const auto& one = batch.at(0);
    co_return copied{std::string{one.key()}, std::string{one.value()}, std::string{one.header("semel-mac").value()}};
}

/// Everything that is wrong with a record, before and behind genuine ones.
void write_hostile(const ground& on, const copied& c, const copied& elsewhere) {
    const topic_partition here{on.topic, 0};
    write_raw(broker(), here, "k", std::string(20, '\x9c'));
    write_raw(broker(), here, c.key, std::nullopt);
    write_raw(broker(), here, c.key, c.value, "");
    write_raw(broker(), here, c.key, c.value, std::string(c.mac.size(), 'm'));
    write_raw(broker(), here, c.key, c.value + " ", c.mac);
    write_raw(broker(), here, c.key + " ", c.value, c.mac);
    write_raw(broker(), here, c.key, std::nullopt, c.mac);
    write_raw(broker(), here, elsewhere.key, elsewhere.value, elsewhere.mac); // genuine in another topic
    write_raw(broker(), {on.topic, 1}, c.key, c.value, c.mac);                // genuine in another partition
    const auto unknown = crypto::key_ring::random().mac(on.topic, {on.topic, "0", c.key, "value", c.value});
    write_raw(broker(), here, c.key, c.value, unknown);
}
constexpr std::size_t hostile = 10;

TEST(Trust, WhatIsNotGenuineIsGivenToNobody) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await write(ex, {on.topic, 0}, "k", "first");
        co_await write(ex, {on.output, 0}, "k", "first");
        const auto here = co_await first_of(ex, on.topic);
        const auto elsewhere = co_await first_of(ex, on.output);
        write_hostile(on, here, elsewhere);
        co_await fill(ex, on, {on.topic, 0}, 1);

        const auto read = co_await contents(ex, on.topic);
        EXPECT_THAT(read, ElementsAre("first", "0")) << "by a reader";
        EXPECT_THAT(refused().of(on.topic), SizeIs(hostile));

        consumer member{ex, on.member("a")};
        co_await begin_at_committed(member, co_await expect_next<assigned>(member));
        std::vector<std::string> values;
        while (values.size() < 2) {
            const auto some = co_await expect_next<records>(member);
            for (const auto& one : some.batch) {
                values.emplace_back(one.value());
            }
        }
        EXPECT_THAT(values, ElementsAre("first", "0")) << "by a member of a group";
        EXPECT_THAT(refused().of(on.topic), SizeIs(::testing::Ge(2 * hostile - 1))) << "the other partition may lag";
        co_await member.close();
    });
    const auto all = refused().of(on.topic);
    EXPECT_THAT(all, Contains(Pair(on.topic + "/0 1", HasSubstr("carries no MAC"))));
    EXPECT_THAT(all, Contains(Pair(on.topic + "/0 5", HasSubstr("its MAC is wrong"))));
}

TEST(Trust, AFloodHoldsNobodyUp) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        write_raw(broker(), {on.topic, 0}, "k", "junk", {}, 5'000);
        co_await fill(ex, on, {on.topic, 0}, 2);
        const auto read = co_await contents(ex, on.topic);
        EXPECT_THAT(read, ElementsAre("0", "1"));
        consumer member{ex, on.member("a")};
        co_await begin_at_committed(member, co_await expect_next<assigned>(member));
        auto some = co_await expect_next<records>(member);
        while (some.batch.empty()) { // says how far nothing is believed
            some = co_await expect_next<records>(member);
        }
        EXPECT_EQ(some.batch.at(0).offset(), 5'000);
        co_await member.close();
    });
    EXPECT_THAT(refused().of(on.topic), SizeIs(10'000));
}

TEST(Trust, TombstonesAndEmptyValuesAreGenuineAndDiffer) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        transactional_producer writer{ex, on.transactional("w")};
        co_await writer.init();
        writer.begin();
        co_await writer.produce_tombstone({on.topic, 0}, "gone");
        co_await writer.produce({on.topic, 0}, "", "");
        const auto done = co_await writer.commit({}, nullptr);
        EXPECT_EQ(done.outcome, outcome::committed) << done.why;
        reader all{ex, {.bootstrap = broker()}};
        must(co_await all.from_beginning(on.topic));
        const auto batch = co_await all.next();
        EXPECT_THAT(batch, SizeIs(2));
        EXPECT_TRUE(batch.at(0).is_tombstone());
        EXPECT_FALSE(batch.at(1).is_tombstone());
    });
    EXPECT_THAT(refused().of(on.topic), SizeIs(0));
}

// librdkafka would free the header of such a record twice.
TEST(Trust, ARecordForAPartitionThatIsNotThereIsRefusedAndHarmsNothing) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        producer writer{ex, {.bootstrap = broker(), .transactional_id = {}}};
        const topic_partition here{on.topic, 0}, nowhere{on.topic, 7};
        must(co_await writer.send(here, "k", "first")); // it knows the topic by now
        for (int i = 0; i < 100; ++i) {
            const auto sent = co_await writer.send(nowhere, "k", "v");
            EXPECT_FALSE(sent);
        }
        must(co_await writer.send(here, "k", "last"));
        const auto read = co_await contents(ex, on.topic);
        EXPECT_THAT(read, ElementsAre("first", "last"));
    });
}

struct RestoreTrust {
    ~RestoreTrust() {
        trust(support::records_ring(), [](const refused_record& r) { refused().add(r); });
    }
};

TEST(Trust, WhatLayThereBeforeThereWereMacsIsBelieved) {
    const ground on;
    const RestoreTrust afterwards;
    write_raw(broker(), {on.topic, 0}, "k", "of an older version", {}, 3);
    trust(
        support::records_ring(), [](const refused_record& r) { refused().add(r); },
        must(parse_ends(fmt::format("{}:0:2\n", on.topic))));
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        const auto read = co_await contents(ex, on.topic);
        EXPECT_THAT(read, SizeIs(2));
    });
    EXPECT_THAT(refused().of(on.topic), ElementsAre(Pair(on.topic + "/0 2", HasSubstr("carries no MAC"))));
}

TEST(Trust, EndsAreReadAsKafkaPrintsThem) {
    const auto ends = must(parse_ends("control:0:17\nretry.email.10s:7:9000000000\n"));
    EXPECT_EQ(ends.at({"control", 0}), 17);
    EXPECT_EQ(ends.at({"retry.email.10s", 7}), 9'000'000'000);
    EXPECT_TRUE(must(parse_ends("")).empty());
    for (const auto* wrong :
         {"control", "control:0", ":0:1", "control:x:1", "control:0:-1", "control:0:1x", "a:0:1\n\n"}) {
        EXPECT_FALSE(parse_ends(wrong)) << wrong;
    }
}

// What a MAC cannot tell; docs/security.md says what closes it.
TEST(Trust, ACopyInItsOwnPartitionIsBelieved) {
    const ground on;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await write(ex, {on.topic, 0}, "k", "once");
        const auto c = co_await first_of(ex, on.topic);
        write_raw(broker(), {on.topic, 0}, c.key, c.value, c.mac);
        const auto read = co_await contents(ex, on.topic);
        EXPECT_THAT(read, ElementsAre("once", "once"));
    });
}

} // namespace
} // namespace semel::kafka::test
