#pragma once
// Structured concurrency on Asio 1.81, whose `a || b` waits for the first success and swallows the other failure.
// Everything here runs on the executor of the coroutine that awaits it.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <vector>

namespace semel::runtime {

/// Runs both; the first to *finish* ends the race, the other is cancelled, a failure is rethrown.
boost::asio::awaitable<void> race(boost::asio::awaitable<void> work, boost::asio::awaitable<void> stop);
/// Runs all until one finishes or fails; cancels the rest and waits for them; rethrows.
boost::asio::awaitable<void> first_of(std::vector<boost::asio::awaitable<void>> tasks);
/// Cancellable; false when cancelled.
boost::asio::awaitable<bool> sleep(std::chrono::milliseconds);

} // namespace semel::runtime
