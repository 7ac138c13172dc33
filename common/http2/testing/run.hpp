#pragma once
// Runs a test's coroutine on an executor of its own, and fails the test when it has not ended after `limit`.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>

namespace semel::http2::testing {

inline void run(boost::asio::io_context& io, boost::asio::awaitable<void> story,
                std::chrono::seconds limit = std::chrono::seconds{20}) {
    bool ended = false;
    io.restart(); // a test may run several stories
    boost::asio::co_spawn(io, std::move(story), [&](const std::exception_ptr& e) {
        ended = true;
        io.stop();
        if (e) {
            std::rethrow_exception(e);
        }
    });
    io.run_for(limit);
    EXPECT_TRUE(ended) << "the story had not ended after " << limit.count() << " s";
}

/// Lets everything else on this executor run until `condition` holds; false after `limit`.
inline boost::asio::awaitable<bool> eventually(std::function<bool()> condition,
                                               std::chrono::seconds limit = std::chrono::seconds{10}) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) {
            co_return false;
        }
        co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
    }
    co_return true;
}

} // namespace semel::http2::testing
