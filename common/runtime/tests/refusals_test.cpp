// What becomes of a record that was refused: counted, kept, told once.

#include <kafka/tests/support.hpp>
#include <runtime/race.hpp>
#include <runtime/refusals.hpp>
#include <semel/v1/events.pb.h>
#include <wire/topics.hpp>

#include <gmock/gmock.h>

#include <set>

namespace semel::runtime {
namespace {

namespace asio = boost::asio;
using kafka::test::broker;
using kafka::test::must;
using kafka::test::play;
using ::testing::HasSubstr;

struct Refusals : ::testing::Test {
    std::string prefix = kafka::test::fresh("refusals") + ".";
    std::string events = prefix + std::string{wire::events};
    std::string letters = prefix + std::string{wire::dead_letter};
    kafka::topic_partition control{prefix + "control", 0};
    kafka::admin admin{broker()};
    telemetry::metrics metrics;

    Refusals() {
        must(admin.create_topics(
            std::vector<kafka::topic_spec>{{.name = events, .partitions = 2, .compacted = false, .config = {}},
                                           {.name = letters, .partitions = 1, .compacted = false, .config = {}}}));
    }
    refusals made(const asio::any_io_executor& ex) {
        return {ex, {.bootstrap = broker(), .partitions = 2, .service = "plan", .prefix = prefix}, metrics};
    }
    /// Everything committed in a topic, once it is so much.
    static asio::awaitable<std::vector<std::string>> until(std::string topic, std::size_t count) {
        std::vector<std::string> all;
        while (all.size() < count) {
            all = co_await kafka::test::contents(co_await asio::this_coro::executor, topic);
        }
        co_return all;
    }
};

TEST_F(Refusals, AreKeptAndToldToTheLedgerOnce) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto here = made(ex), there = made(ex);
        for (auto* one : {&here, &there}) {
            one->take(
                {.at = control, .offset = 7, .key = "kim@example.com", .value = "junk", .why = "it carries no MAC"});
        }
        std::vector<asio::awaitable<void>> tasks;
        tasks.push_back(here.run());
        tasks.push_back(there.run());
        tasks.push_back([](Refusals& self) -> asio::awaitable<void> {
            const auto kept = co_await until(self.letters, 2);
            EXPECT_EQ(kept.at(0), "junk");
            std::set<std::string> ids;
            for (const auto& record : co_await until(self.events, 2)) {
                v1::EventBatch batch;
                EXPECT_TRUE(batch.ParseFromString(record));
                const auto& e = batch.events(0);
                EXPECT_EQ(e.kind(), v1::EVENT_DEAD_LETTER);
                EXPECT_THAT(e.text(), HasSubstr("control/0 offset 7: it carries no MAC"));
                EXPECT_EQ(record.find("kim"), std::string::npos);
                ids.insert(e.id());
            }
            EXPECT_EQ(ids.size(), 1U) << "two processes say the same of one record: the ledger counts it once";
        }(*this));
        co_await first_of(std::move(tasks));
    });
    EXPECT_THAT(metrics.expose(), HasSubstr("semel_kafka_refused_records_total{topic=\"" + control.topic + "\"} 2"));
}

TEST_F(Refusals, OfAFloodAreCountedAndOnlyAFewAreKept) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto here = made(ex);
        for (int i = 0; i < 10'000; ++i) {
            here.take({.at = control, .offset = i, .key = {}, .value = "junk", .why = "no MAC"});
        }
        std::vector<asio::awaitable<void>> tasks;
        tasks.push_back(here.run());
        tasks.push_back([](Refusals& self) -> asio::awaitable<void> {
            const auto told = co_await until(self.events, 64);
            EXPECT_EQ(told.size(), 64U);
        }(*this));
        co_await first_of(std::move(tasks));
    });
    EXPECT_THAT(metrics.expose(), HasSubstr("} 10000"));
}

TEST_F(Refusals, OfWhatOthersToldOfTheirsNobodyIsTold) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto here = made(ex);
        const kafka::topic_partition at{events, 0};
        here.take({.at = at, .offset = 1, .key = "refused", .value = "another's", .why = "unknown key"});
        here.take({.at = at, .offset = 2, .key = "k", .value = "any other", .why = "no MAC"});
        std::vector<asio::awaitable<void>> tasks;
        tasks.push_back(here.run());
        tasks.push_back([](Refusals& self) -> asio::awaitable<void> {
            co_await until(self.letters, 2);
            const auto told = co_await until(self.events, 1);
            EXPECT_EQ(told.size(), 1U) << "two processes with different keys would tell each other for ever";
            EXPECT_THAT(told.at(0), HasSubstr("offset 2"));
        }(*this));
        co_await first_of(std::move(tasks));
    });
}

} // namespace
} // namespace semel::runtime
