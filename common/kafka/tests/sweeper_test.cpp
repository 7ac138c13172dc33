// What is deleted of a partition that campaigns share, against a real broker.

#include "support.hpp"

#include <kafka/sweeper.hpp>

#include <set>

namespace semel::kafka::test {
namespace {

/// Records "a", "b", ... of campaigns of these names, in one transaction each, in partition 1 of the topic.
asio::awaitable<void> write(asio::any_io_executor ex, ground& on, std::vector<std::string> campaigns) {
    transactional_producer writer{ex, on.transactional("writer")};
    co_await writer.init();
    for (const auto& campaign : campaigns) {
        writer.begin();
        topic_partition to{on.topic, 1};
        co_await writer.produce(std::move(to), {}, campaign);
        const auto result = co_await writer.commit({}, nullptr);
        EXPECT_EQ(result.outcome, outcome::committed) << result.why;
    }
}

asio::awaitable<std::string> left(asio::any_io_executor ex, ground& on) {
    reader all{ex, {.bootstrap = broker()}};
    must(co_await all.from_beginning(topic_partition{on.topic, 1}));
    std::string out;
    while (!all.at_end()) {
        for (const auto& one : co_await all.next()) {
            out += one.value();
        }
    }
    co_return out;
}

// Offsets 0 2 4 6 8: behind each record stands the mark of its transaction.
TEST(Sweeper, DeletesUpToTheFirstRecordThatIsNeededAndNotBeyondTheLowWater) {
    ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await write(ex, on, {"a", "b", "a", "c", "a"});
        std::set<std::string, std::less<>> alive{"b", "c"};
        sweeper sweep{ex, broker(), [&](const record& r) { return alive.contains(r.value()); }};
        const std::vector<start> all{{{on.topic, 0}, 0}, {{on.topic, 1}, 10}};
        must(co_await sweep.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "baca") << "what lies behind a needed record stays, whoever it belongs to";
        must(co_await sweep.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "baca");
        alive.clear();
        const std::vector<start> not_all{{{on.topic, 1}, 4}};
        must(co_await sweep.sweep(not_all));
        EXPECT_EQ(co_await left(ex, on), "aca") << "the reader of this partition has not come further";
        alive.insert("c");
        must(co_await sweep.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "ca");
        alive.clear();
        must(co_await sweep.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "");
        must(co_await sweep.sweep(all));
        co_await write(ex, on, {"b"});
        EXPECT_EQ(co_await left(ex, on), "b") << "offsets go on";
    });
}

TEST(Sweeper, GoesOnBehindWhatAnotherProcessDeleted) {
    ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await write(ex, on, {"a", "a", "b"});
        const auto b = [](const record& r) { return r.value() == "b"; };
        sweeper first{ex, broker(), b};
        sweeper second{ex, broker(), b};
        const std::vector<start> some{{{on.topic, 1}, 2}};
        const std::vector<start> all{{{on.topic, 1}, 6}};
        must(co_await first.sweep(some));
        must(co_await second.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "b");
        must(co_await first.sweep(all));
        EXPECT_EQ(co_await left(ex, on), "b");
    });
}

} // namespace
} // namespace semel::kafka::test
