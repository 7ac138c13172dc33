#include "steps.hpp"

#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <runtime/together.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <tuple>

namespace semel::runtime::test {
namespace {

TEST(Race, EndsWithTheFirstAndCancelsTheOther) {
    asio::io_context io;
    bool gone = false;
    run(io, race(return_after(milliseconds{1}), wait_long(gone)));
    EXPECT_TRUE(gone);
}

TEST(Race, StopEndsTheWork) {
    asio::io_context io;
    bool gone = false;
    run(io, race(wait_long(gone), return_after(milliseconds{0})));
    EXPECT_TRUE(gone);
}

TEST(Race, RethrowsAFailureAtOnce) {
    asio::io_context io;
    bool gone = false;
    EXPECT_THROW(run(io, race(throw_after(milliseconds{1}), wait_long(gone))), std::runtime_error);
    EXPECT_TRUE(gone);
}

TEST(Race, ARaceOfWhatIsReadyEnds) {
    asio::io_context io;
    run(io, race([]() -> asio::awaitable<void> { co_return; }(), []() -> asio::awaitable<void> { co_return; }()));
}

TEST(FirstOf, CancelsAllOthersAndWaitsForThem) {
    asio::io_context io;
    bool gone[3] = {};
    std::vector<asio::awaitable<void>> tasks;
    for (auto& g : gone) {
        tasks.push_back(wait_long(g));
    }
    tasks.push_back(throw_after(milliseconds{1}));
    EXPECT_THROW(run(io, first_of(std::move(tasks))), std::runtime_error);
    EXPECT_TRUE(gone[0] && gone[1] && gone[2]);
}

TEST(FirstOf, IsCancelledAsAWhole) {
    asio::io_context io;
    bool gone[2] = {};
    std::vector<asio::awaitable<void>> inner;
    inner.push_back(wait_long(gone[0]));
    inner.push_back(wait_long(gone[1]));
    run(io, race(first_of(std::move(inner)), return_after(milliseconds{1})));
    EXPECT_TRUE(gone[0] && gone[1]);
}

TEST(Sleep, SaysWhetherItSleptToTheEnd) {
    asio::io_context io;
    bool slept = false;
    run(io, [](bool& s) -> asio::awaitable<void> { s = co_await sleep(milliseconds{1}); }(slept));
    EXPECT_TRUE(slept);
}

asio::awaitable<int> after(milliseconds wait, int value) {
    co_await sleep(wait);
    co_return value;
}

TEST(Both, RunsTheTwoAtOnceAndHandsBothOut) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        condition met{co_await asio::this_coro::executor};
        const auto wait = [](condition& s) -> asio::awaitable<int> { co_return co_await s.wait_for(for_ever) ? 1 : 0; };
        const auto tell = [](condition& s) -> asio::awaitable<int> {
            s.notify();
            co_return 2;
        };
        const auto [first, second] = co_await both(wait(met), tell(met));
        EXPECT_EQ(first, 1);
        EXPECT_EQ(second, 2);
    }());
}

TEST(Both, WaitsForTheOtherBeforeItRethrows) {
    asio::io_context io;
    bool gone = false;
    const auto fail = []() -> asio::awaitable<int> {
        co_await yield();
        throw std::runtime_error{"broken"};
    };
    const auto other = [](bool& over) -> asio::awaitable<int> {
        const ended mark{over};
        co_return co_await after(milliseconds{20}, 3);
    };
    EXPECT_THROW(run(io,
                     [](auto a, auto b) -> asio::awaitable<void> {
                         std::ignore = co_await both(std::move(a), std::move(b));
                     }(fail(), other(gone))),
                 std::runtime_error);
    EXPECT_TRUE(gone);
}

TEST(OnThread, BringsTheValueOrTheFailureBackToTheCallersThread) {
    asio::io_context io;
    asio::thread_pool pool{1};
    run(io, [](asio::thread_pool& p) -> asio::awaitable<void> {
        const auto here = std::this_thread::get_id();
        const auto there = co_await on_thread(p, [] { return std::this_thread::get_id(); });
        EXPECT_NE(there, here);
        EXPECT_EQ(std::this_thread::get_id(), here);
        bool caught = false;
        try {
            co_await on_thread(p, [] { throw std::runtime_error{"broken"}; });
        } catch (const std::runtime_error&) {
            caught = true;
            EXPECT_EQ(std::this_thread::get_id(), here);
        }
        EXPECT_TRUE(caught);
    }(pool));
}

} // namespace
} // namespace semel::runtime::test
