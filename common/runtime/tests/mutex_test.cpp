#include "steps.hpp"

#include <runtime/gate.hpp>
#include <runtime/mutex.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace semel::runtime::test {
namespace {

using ::testing::ElementsAre;

asio::awaitable<void> note(mutex& m, std::vector<int>& in, int number) {
    const auto held = co_await m.lock();
    in.push_back(number);
    co_await yield();
    in.push_back(number);
}

TEST(Mutex, LetsOneInAtATimeAndInOrder) {
    asio::io_context io;
    mutex m{io.get_executor()};
    gate all{io.get_executor()};
    std::vector<int> in;
    for (int i = 1; i <= 4; ++i) {
        all.spawn("one", note(m, in, i));
    }
    io.run();
    EXPECT_THAT(in, ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
    EXPECT_FALSE(m.locked());
}

TEST(Mutex, IsHandedOnSoThatWhoComesLaterDoesNotGoFirst) {
    asio::io_context io;
    run(io, [](asio::any_io_executor ex) -> asio::awaitable<void> {
        mutex m{ex};
        gate all{ex};
        std::vector<int> in;
        std::optional held{co_await m.lock()};
        all.spawn("waits", note(m, in, 1));
        co_await yield();
        held.reset();
        EXPECT_TRUE(m.locked()); // it is the waiting one's already
        co_await note(m, in, 2);
        EXPECT_THAT(in, ElementsAre(1, 1, 2, 2));
    }(io.get_executor()));
}

TEST(Mutex, WhoIsCancelledWhileWaitingHoldsNobodyUp) {
    asio::io_context io;
    run(io, [](asio::any_io_executor ex) -> asio::awaitable<void> {
        mutex m{ex};
        std::vector<int> in;
        std::optional held{co_await m.lock()};
        co_await race(note(m, in, 1), return_after(milliseconds{1}));
        EXPECT_TRUE(m.locked());
        held.reset();
        EXPECT_FALSE(m.locked());
        co_await note(m, in, 2);
        EXPECT_THAT(in, ElementsAre(2, 2));
    }(io.get_executor()));
}

TEST(Mutex, WhoIsDestroyedJustAfterItWasGivenPassesItOn) {
    std::optional<asio::io_context> io{std::in_place};
    mutex m{io->get_executor()};
    std::optional<mutex::hold> held;
    std::vector<int> in;
    run(*io, [](mutex& m, auto& held) -> asio::awaitable<void> { held.emplace(co_await m.lock()); }(m, held));
    io->restart();
    asio::co_spawn(*io, note(m, in, 1), [](std::exception_ptr) {});
    io->poll();
    held.reset(); // given to a coroutine that never runs again
    EXPECT_TRUE(m.locked());
    io.reset();
    EXPECT_FALSE(m.locked());
}

TEST(Mutex, AHoldThatWasMovedFromLetsNobodyIn) {
    asio::io_context io;
    run(io, [](asio::any_io_executor ex) -> asio::awaitable<void> {
        mutex m{ex};
        std::optional<mutex::hold> keeps;
        {
            auto held = co_await m.lock();
            keeps.emplace(std::move(held));
        }
        EXPECT_TRUE(m.locked());
        keeps.reset();
        EXPECT_FALSE(m.locked());
    }(io.get_executor()));
}

} // namespace
} // namespace semel::runtime::test
