#pragma once
// How much of what plan released still waits at the dispatchers, read from their groups' offsets now and then. The
// retry tiers are read too: a dispatcher moves what its rates do not allow yet there. One strand; Kafka's blocking
// calls run on a thread of their own.

#include "kafka_place.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <plan/core/pacing.hpp>

#include <chrono>
#include <map>
#include <memory>

namespace semel::plan {

class backlog {
  public:
    backlog(kafka_place, pace);
    ~backlog();

    /// Reads anew when the last reading is older than half a second. While the groups cannot be read, what was released
    /// since counts as waiting.
    boost::asio::awaitable<void> refresh();
    /// Messages that this process may release on the channel; `part` of the audience is its own.
    double room(base::channel, double part) const;
    void released(base::channel, double messages);
    /// What was read last.
    reading waiting(base::channel) const;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::plan
