#pragma once
// Structured concurrency on Asio 1.81, whose `a || b` waits for the first success and swallows the other failure.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace semel::runtime {

/// Runs both; the first to *finish* ends the race, the other is cancelled, a failure is rethrown.
boost::asio::awaitable<void> race(boost::asio::awaitable<void> work, boost::asio::awaitable<void> stop);
/// Runs all until one finishes or fails; cancels the rest and waits for them; rethrows.
boost::asio::awaitable<void> first_of(std::vector<boost::asio::awaitable<void>> tasks);
/// Cancellable; false when cancelled.
boost::asio::awaitable<bool> sleep(std::chrono::milliseconds);

/// "No new work, wait for the old" (seastar's gate). Work is spawned under the gate, so that cancelling the intake
/// never cuts a send in half. One strand.
class gate {
  public:
    explicit gate(boost::asio::any_io_executor);
    ~gate();
    /// Spawns; an exception that escapes the task terminates the process through the handler of serve().
    /// Returns false when the gate is closed.
    bool spawn(std::string label, boost::asio::awaitable<void> task);
    std::size_t inside() const noexcept;
    /// Refuses new work, waits until what is inside has ended or the deadline passed (then false; labels are logged).
    boost::asio::awaitable<bool> close(std::chrono::milliseconds deadline);
    void cancel_all();

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

/// A condition that coroutines of one strand wait for: wait() returns after the next notify(). Wake-ups are not lost
/// between a check and the wait as long as nothing is awaited in between.
class signal {
  public:
    explicit signal(boost::asio::any_io_executor);
    ~signal();
    void notify();
    boost::asio::awaitable<void> wait();
    /// False on timeout.
    boost::asio::awaitable<bool> wait_for(std::chrono::milliseconds);

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::runtime
