#pragma once
// Takes import orders from `intake.work` and carries them out one after the other. An import may take minutes: its
// partition is paused meanwhile and polling goes on, so that the group does not take this process for dead.

#include <runtime/condition.hpp>

#include <intake/edge/wave_import.hpp>

#include <deque>
#include <optional>

namespace semel::intake {

class service {
  public:
    service(boost::asio::any_io_executor, settings, telemetry::metrics&);

    /// Until cancelled; cut short anywhere, the next process goes on. Throws when it cannot.
    boost::asio::awaitable<void> run();
    /// After run(): leaves the group.
    boost::asio::awaitable<void> close();

  private:
    struct task {
        assignment from;
        std::string value;
    };

    boost::asio::awaitable<void> poll();
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> take(kafka::assigned);
    boost::asio::awaitable<void> give_back(kafka::revoked);
    boost::asio::awaitable<void> carry_out(const task&);

    boost::asio::any_io_executor executor_;
    settings settings_;
    counters counters_;
    kafka::transactional_producer producer_;
    kafka::consumer consumer_;
    std::shared_ptr<const kafka::membership> membership_; // of the present assignment
    std::deque<task> waiting_;
    std::optional<kafka::topic_partition> busy_; // whose order is being carried out
    std::stop_source stop_;                      // of that order
    runtime::condition changed_;                 // waiting_ or busy_
};

} // namespace semel::intake
