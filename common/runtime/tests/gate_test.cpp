#include "steps.hpp"

#include <runtime/condition.hpp>
#include <runtime/gate.hpp>

#include <gtest/gtest.h>

namespace semel::runtime::test {
namespace {

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
    g.spawn("waits", [](asio::any_io_executor ex) -> asio::awaitable<void> {
        co_await condition{ex}.wait();
    }(io.get_executor()));
    asio::post(io, [&] { g.cancel_all(); });
    EXPECT_NO_THROW(io.run());
    EXPECT_EQ(g.inside(), 0U);
}

} // namespace
} // namespace semel::runtime::test
