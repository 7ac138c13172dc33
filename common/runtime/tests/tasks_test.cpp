#include <runtime/tasks.hpp>
#include <runtime/together.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <thread>
#include <tuple>

namespace semel::runtime {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
constexpr milliseconds for_ever = std::chrono::hours{1}; // a test that waits this long hangs, and so fails

/// Runs one coroutine, and whatever it spawns, to the end; rethrows what escapes.
void run(asio::io_context& io, asio::awaitable<void> test) {
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(test), [&](std::exception_ptr e) { failure = e; });
    io.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

struct ended {
    bool& flag;
    ~ended() { flag = true; }
};

asio::awaitable<void> wait_long(bool& gone) {
    const ended mark{gone};
    co_await sleep(for_ever);
}

asio::awaitable<void> return_after(milliseconds wait) {
    co_await sleep(wait);
}

asio::awaitable<void> throw_after(milliseconds wait) {
    co_await sleep(wait);
    throw std::runtime_error{"broken"};
}

asio::awaitable<void> yield() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

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
        signal met{co_await asio::this_coro::executor};
        const auto wait = [](signal& s) -> asio::awaitable<int> { co_return co_await s.wait_for(for_ever) ? 1 : 0; };
        const auto tell = [](signal& s) -> asio::awaitable<int> {
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

TEST(Gate, WaitsForWhatIsInsideAndRefusesTheNew) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        gate g{co_await asio::this_coro::executor};
        EXPECT_TRUE(g.spawn("work", return_after(milliseconds{5})));
        EXPECT_EQ(g.inside(), 1U);
        EXPECT_TRUE(co_await g.close(for_ever));
        EXPECT_EQ(g.inside(), 0U);
        EXPECT_FALSE(g.spawn("late", return_after(milliseconds{0})));
    }());
}

TEST(Gate, GivesUpAtTheDeadlineAndNamesWhatStayed) {
    asio::io_context io;
    testing::internal::CaptureStderr();
    bool gone = false;
    run(io, [](bool& left) -> asio::awaitable<void> {
        gate g{co_await asio::this_coro::executor};
        g.spawn("stubborn", wait_long(left));
        EXPECT_FALSE(co_await g.close(milliseconds{1}));
        g.cancel_all();
        EXPECT_TRUE(co_await g.close(for_ever));
    }(gone));
    EXPECT_TRUE(gone);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("\"task\":\"stubborn\""), std::string::npos);
}

TEST(Gate, CancellingTheSpawnerLeavesTheTaskAlone) {
    asio::io_context io;
    bool whole = false;
    run(io, [](bool& w) -> asio::awaitable<void> {
        gate g{co_await asio::this_coro::executor};
        bool gone = false;
        auto intake = [](gate& here, bool& w, bool& left) -> asio::awaitable<void> {
            here.spawn("send", [](bool& done) -> asio::awaitable<void> { done = co_await sleep(milliseconds{5}); }(w));
            co_await wait_long(left);
        }(g, w, gone);
        co_await race(std::move(intake), return_after(milliseconds{1}));
        EXPECT_TRUE(gone);
        EXPECT_TRUE(co_await g.close(for_ever));
    }(whole));
    EXPECT_TRUE(whole);
}

TEST(Gate, AFailureInsideLeavesTheLoop) {
    asio::io_context io;
    gate g{io.get_executor()};
    g.spawn("work", throw_after(milliseconds{0}));
    EXPECT_THROW(io.run(), std::runtime_error);
}

TEST(Gate, ACancelledTaskIsNoFailure) {
    asio::io_context io;
    gate g{io.get_executor()};
    g.spawn("waits",
            [](asio::any_io_executor ex) -> asio::awaitable<void> { co_await signal{ex}.wait(); }(io.get_executor()));
    asio::post(io, [&] { g.cancel_all(); });
    EXPECT_NO_THROW(io.run());
    EXPECT_EQ(g.inside(), 0U);
}

TEST(Signal, WakesEveryWaiter) {
    asio::io_context io;
    signal s{io.get_executor()};
    int awake = 0;
    gate g{io.get_executor()};
    for (int i = 0; i < 3; ++i) {
        g.spawn("waiter", [](signal& s, int& n) -> asio::awaitable<void> {
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

TEST(Signal, LosesNoWakeUpBetweenTheCallAndTheFirstStep) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        signal s{co_await asio::this_coro::executor};
        auto waiting = s.wait();
        s.notify();
        co_await yield();
        co_await std::move(waiting);
    }());
}

TEST(Signal, AnEarlierNotifyIsNotRemembered) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        signal s{co_await asio::this_coro::executor};
        s.notify();
        EXPECT_FALSE(co_await s.wait_for(milliseconds{1}));
    }());
}

TEST(Signal, ATimelyNotifyBeatsTheTimeout) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        signal s{ex};
        asio::post(ex, [&] { s.notify(); });
        EXPECT_TRUE(co_await s.wait_for(for_ever));
    }());
}

TEST(Signal, ADyingWaiterLeavesTheOthers) {
    asio::io_context io;
    run(io, []() -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        signal s{ex};
        bool woke = false;
        gate g{ex};
        g.spawn("stays", [](signal& s, bool& w) -> asio::awaitable<void> {
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
} // namespace semel::runtime
