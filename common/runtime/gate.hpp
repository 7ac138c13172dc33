#pragma once
// "No new work, wait for the old" (seastar's gate).

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace semel::runtime {

/// Work is spawned under the gate, so that cancelling the intake never cuts a send in half. One strand. What is inside
/// may outlive the gate, which then cancels it.
class gate {
  public:
    explicit gate(boost::asio::any_io_executor);
    ~gate();
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;

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

} // namespace semel::runtime
