#include "steps.hpp"

#include <runtime/condition.hpp>
#include <runtime/gate.hpp>

#include <gtest/gtest.h>

namespace semel::runtime::test {
namespace {

TEST(Condition, WakesEveryWaiter) {
    asio::io_context io;
    condition s{io.get_executor()};
    int awake = 0;
    gate g{io.get_executor()};
    for (int i = 0; i < 3; ++i) {
        g.spawn("waiter", [](condition& s, int& n) -> asio::awaitable<void> {
            co_await s.wait();
            ++n;
        }(s, awake));
    }
    asio::post(io, [&] {
        EXPECT_EQ(awake, 0);
        s.notify();
    });
    io.run();
    EXPECT_EQ(awake, 3);
}

TEST(Condition, LosesNoWakeUpBetweenTheCallAndTheFirstStep) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        condition s{co_await asio::this_coro::executor};
        auto waiting = s.wait();
        s.notify();
        co_await yield();
        co_await std::move(waiting);
    }());
}

TEST(Condition, AnEarlierNotifyIsNotRemembered) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        condition s{co_await asio::this_coro::executor};
        s.notify();
        EXPECT_FALSE(co_await s.wait_for(milliseconds{1}));
    }());
}

TEST(Condition, ATimelyNotifyBeatsTheTimeout) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        condition s{ex};
        asio::post(ex, [&] { s.notify(); });
        EXPECT_TRUE(co_await s.wait_for(for_ever));
    }());
}

TEST(Condition, ADyingWaiterLeavesTheOthers) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        condition s{ex};
        bool woke = false;
        gate g{ex};
        g.spawn("stays", [](condition& s, bool& w) -> asio::awaitable<void> {
            co_await s.wait();
            w = true;
        }(s, woke));
        co_await race(s.wait(), return_after(milliseconds{1}));
        s.notify();
        EXPECT_TRUE(co_await g.close(for_ever));
        EXPECT_TRUE(woke);
    }());
}

} // namespace
} // namespace semel::runtime::test
