#pragma once
// What the tests of coroutines share: a loop that runs one to its end, and some that wait, return and throw.

#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <stdexcept>

namespace semel::runtime::test {

namespace asio = boost::asio;
using std::chrono::milliseconds;
inline constexpr milliseconds for_ever = std::chrono::hours{1}; // a test that waits this long hangs, and so fails

/// Runs one coroutine, and whatever it spawns, to the end; rethrows what escapes.
inline void run(asio::io_context& io, asio::awaitable<void> test) {
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

inline asio::awaitable<void> wait_long(bool& gone) {
    const ended mark{gone};
    co_await sleep(for_ever);
}

inline asio::awaitable<void> return_after(milliseconds wait) {
    co_await sleep(wait);
}

inline asio::awaitable<void> throw_after(milliseconds wait) {
    co_await sleep(wait);
    throw std::runtime_error{"broken"};
}

inline asio::awaitable<void> yield() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

} // namespace semel::runtime::test
