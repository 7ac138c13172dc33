#pragma once
// Something that coroutines of one strand wait for.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace semel::runtime {

/// wait() returns after the next notify(), which wakes everybody. Wake-ups are not lost between a check and the wait as
/// long as nothing is awaited in between. Cancellable: a wait throws then. Waiters may outlive it.
class condition {
  public:
    explicit condition(boost::asio::any_io_executor);
    ~condition();
    void notify();
    boost::asio::awaitable<void> wait();
    /// False on timeout.
    boost::asio::awaitable<bool> wait_for(std::chrono::milliseconds);

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::runtime
