// Several dispatchers, one bucket.

#include <delivery/redis/rates.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace semel::delivery {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct dispatcher {
    dispatcher(asio::any_io_executor ex, std::uint16_t port)
        : redis(ex, {.host = "127.0.0.1", .port = port})
        , rates(ex, redis) {}
    redis::client redis;
    delivery::rates rates;
};

asio::awaitable<void> sender(dispatcher& d, double rate, std::vector<steady::time_point>& sent, const bool& over) {
    co_await d.redis.connected();
    while (!over) {
        if (co_await d.rates.take("test", rate, 3s)) {
            sent.push_back(steady::now());
        }
    }
}

/// How many of the sorted moments lie in the fullest stretch of one second.
std::size_t most_in_a_second(const std::vector<steady::time_point>& sent) {
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
        while (sent[last] - sent[first] >= 1s) {
            ++first;
        }
        most = std::max(most, last - first + 1);
    }
    return most;
}

/// The longest time for which the loop did not get to run: what is held up so long arrives at once, and a busy machine
/// does that to any limiter.
asio::awaitable<void> watch(steady::duration& longest, const bool& over) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    while (!over) {
        const auto due = steady::now() + 1ms;
        timer.expires_at(due);
        co_await timer.async_wait(asio::use_awaitable);
        longest = std::max(longest, steady::now() - due);
    }
}

/// What so many dispatchers with so many senders each sent, and for how long.
std::vector<steady::time_point> run(std::uint16_t port, double rate, int dispatchers, int senders,
                                    std::chrono::milliseconds time, steady::duration* held_up = nullptr) {
    asio::io_context io;
    std::vector<std::unique_ptr<dispatcher>> all;
    std::vector<steady::time_point> sent;
    bool over = false;
    steady::duration longest{};
    asio::co_spawn(io, watch(longest, over), asio::detached);
    for (int i = 0; i < dispatchers; ++i) {
        all.push_back(std::make_unique<dispatcher>(io.get_executor(), port));
        for (int k = 0; k < senders; ++k) {
            asio::co_spawn(io, sender(*all.back(), rate, sent, over), asio::detached);
        }
    }
    io.run_for(time);
    over = true;
    if (held_up != nullptr) {
        *held_up = longest;
    }
    return sent;
}

TEST(Rates, SeveralDispatchersTogetherStayWithinTheLimitAndUseIt) {
    support::redis_server redis;
    for (const auto [rate, senders] : {std::pair{20.0, 10}, std::pair{1'000.0, 100}, std::pair{8'000.0, 400}}) {
        if (rate * support::slowness > 8'000) {
            continue; // a sanitizer cannot use that much
        }
        SCOPED_TRACE(rate);
        steady::duration held_up{};
        const auto sent = run(redis.port(), rate, 3, senders, 3'000ms, &held_up);
        const auto late = std::chrono::duration<double>(held_up).count();
        ASSERT_FALSE(sent.empty());
        EXPECT_LE(static_cast<double>(most_in_a_second(sent)), rate * (1.1 + late) + 1)
            << "a second and one slice; " << late << " s late";
        const auto seconds = std::chrono::duration<double>(sent.back() - sent.front()).count();
        EXPECT_GE(static_cast<double>(sent.size()), 0.95 * rate * (seconds - late) - 1) << late << " s late";
        EXPECT_GE(seconds, 2.0);
        redis.kill(); // the next one starts with an empty bucket
        redis.forget_file();
        redis.start();
    }
}

TEST(Rates, ALostBucketStartsEmpty) {
    support::redis_server redis;
    const auto began = steady::now();
    const auto sent = run(redis.port(), 10, 1, 5, 450ms);
    EXPECT_LE(sent.size(), 4U);
    for (const auto& at : sent) {
        EXPECT_GE(at - began, 90ms) << "no token stood there before its time";
    }
}

TEST(Rates, SaysWhenToComeBackInsteadOfWaitingLonger) {
    support::redis_server redis;
    asio::io_context io;
    dispatcher d{io.get_executor(), redis.port()};
    std::size_t now = 0;
    std::vector<std::chrono::milliseconds> later;
    bool over = false;
    for (int i = 0; i < 40; ++i) {
        asio::co_spawn(
            io,
            [](dispatcher& d, std::size_t& now,
               std::vector<std::chrono::milliseconds>& later) -> asio::awaitable<void> {
                co_await d.redis.connected();
                if (const auto taken = co_await d.rates.take("slow", 10, 1'000ms)) {
                    ++now;
                } else {
                    later.push_back(taken.error());
                }
            }(d, now, later),
            asio::detached);
    }
    io.run_for(1'600ms);
    std::ignore = over;
    EXPECT_EQ(now + later.size(), 40U) << "nobody waits longer than its patience";
    EXPECT_GE(now, 8U);
    EXPECT_TRUE(std::ranges::all_of(later, [](auto w) { return w >= 100ms; }));
}

} // namespace
} // namespace semel::delivery
