#pragma once
// Takes import orders from `intake.work` and carries them out one after the other. An import may take minutes: its
// partition is paused meanwhile and polling goes on, so that the group does not take this process for dead.

#include <runtime/condition.hpp>

#include <intake/edge/wave_import.hpp>

#include <deque>
#include <vector>

namespace semel::intake {

class service : private kafka::tenant {
  public:
    service(boost::asio::any_io_executor, settings, telemetry::metrics&);

    /// Until `stop` completes; an import is left where it is, and the next process goes on. Throws when it cannot.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);

  private:
    struct task {
        assignment from;
        std::string value;
    };

    boost::asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    boost::asio::awaitable<void> leave(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> carry_out(const task&);

    boost::asio::any_io_executor executor_;
    settings settings_;
    counters counters_;
    kafka::transactor transactor_;
    std::deque<task> waiting_;
    bool busy_ = false;          // an order is being carried out
    std::stop_source stop_;      // of that order
    runtime::condition changed_; // waiting_ or busy_
};

} // namespace semel::intake
