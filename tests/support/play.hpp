#pragma once
// Runs a coroutine from a test's own thread, on a loop of its own.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <support/slowness.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <type_traits>

namespace semel::support {

/// `story` takes the loop's executor, or nothing. Throws what it throws, or when it has not ended in time.
template <class Story>
void play(Story story, std::chrono::seconds patience = std::chrono::seconds{60 * slowness}) {
    namespace asio = boost::asio;
    asio::io_context io;
    std::exception_ptr failure;
    bool ended = false;
    const auto done = [&](std::exception_ptr thrown) {
        failure = thrown;
        ended = true;
        io.stop();
    };
    if constexpr (std::is_invocable_v<Story, asio::any_io_executor>) {
        asio::co_spawn(io, story(io.get_executor()), done);
    } else {
        asio::co_spawn(io, story(), done);
    }
    io.run_for(patience);
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!ended) {
        throw std::runtime_error{"a step of the test did not end in time"};
    }
}

} // namespace semel::support
