#pragma once
// What the integration tests of Kafka share: a broker, fresh names, and coroutines with a deadline.

#include <base/must.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/backing.hpp>
#include <support/play.hpp>
#include <support/records.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace semel::kafka::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using support::broker;
using support::play;

/// A name that no other test and no other run has.
inline std::string fresh(std::string_view what) {
    static int count = 0;
    return fmt::format("t.{}.{}.{}.{}", what, ::getpid(),
                       std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000'000, ++count);
}

using base::must;

/// A topic with first offsets for its own group.
struct ground {
    explicit ground(std::int32_t partitions = 1, std::string address = broker())
        : bootstrap(std::move(address))
        , topic(fresh("in"))
        , output(fresh("out"))
        , group(fresh("group"))
        , kafka(bootstrap) {
        const std::vector<topic_spec> topics{{topic, partitions, false, {{"retention.ms", "-1"}}},
                                             {output, partitions, false, {{"retention.ms", "-1"}}}};
        must(kafka.create_topics(topics));
        must(kafka.write_first_offsets(group, std::span{topics}.first(1)));
    }
    consumer_options member(std::string instance) const {
        consumer_options options;
        options.bootstrap = bootstrap;
        options.group = group;
        options.instance = std::move(instance);
        options.topics = {topic};
        options.session_timeout = 6s;
        return options;
    }
    producer_options transactional(std::string id) const {
        producer_options options;
        options.bootstrap = bootstrap;
        options.transactional_id = group + "." + std::move(id);
        return options;
    }

    std::string bootstrap;
    std::string topic;
    std::string output;
    std::string group;
    admin kafka;
};

/// Begins with what the group has committed.
inline asio::awaitable<std::vector<commit>> begin_at_committed(consumer& member, const assigned& event) {
    auto committed = must(co_await member.committed(event.partitions));
    std::vector<start> positions;
    for (const auto& one : committed) {
        positions.push_back({one.at, one.next});
    }
    member.begin(positions);
    co_return committed;
}

/// The next event, which must be of this kind.
template <class Kind>
asio::awaitable<Kind> expect_next(consumer& member) {
    auto happened = co_await member.next();
    if (!std::holds_alternative<Kind>(happened)) {
        throw std::runtime_error{fmt::format("another event came: alternative {}", happened.index())};
    }
    co_return std::get<Kind>(std::move(happened));
}

/// Writes `count` records "0", "1", ... into one partition, committed.
inline asio::awaitable<void> fill(asio::any_io_executor executor, const ground& on, topic_partition to, int count) {
    const auto options = on.transactional(fresh("fill"));
    transactional_producer writer{executor, options};
    co_await writer.init();
    writer.begin();
    for (int i = 0; i < count; ++i) {
        co_await writer.produce(to, "k", std::to_string(i));
    }
    const auto result = co_await writer.commit({}, nullptr);
    if (result.outcome != outcome::committed) {
        throw std::runtime_error{result.why};
    }
    // Committed is what the coordinator knows; a partition shows it when its marker is there, and the coordinator
    // lets a successor in no earlier.
    transactional_producer successor{executor, options};
    co_await successor.init();
}

/// Waits for a condition, with a deadline.
template <class Condition>
asio::awaitable<void> until(Condition condition, std::string what) {
    asio::steady_timer pause{co_await asio::this_coro::executor};
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error{"waited 30 s in vain: " + what};
        }
        pause.expires_after(10ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

/// All that a read_committed reader sees, by value.
inline asio::awaitable<std::vector<std::string>> contents(asio::any_io_executor executor, std::string topic,
                                                          std::string bootstrap = broker()) {
    reader all{executor, {.bootstrap = std::move(bootstrap)}};
    must(co_await all.from_beginning(std::move(topic)));
    std::vector<std::string> out;
    for (;;) {
        const auto batch = co_await all.next();
        if (batch.empty()) {
            co_return out;
        }
        for (const auto& one : batch) {
            out.emplace_back(one.value());
        }
    }
}

} // namespace semel::kafka::test
