#pragma once
// The broker's clock, read every two seconds through a record that this process writes to `ticks`: the answer to it
// says when the broker appended it. One strand.

#include <base/known_time.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <ticks/estimate.hpp>
#include <trouble/trouble.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace semel::ticks {

struct clock_options {
    kafka::cluster bootstrap;
    std::string prefix = {}; // of the topic; empty but in tests
    std::chrono::milliseconds every{2'000};
    std::function<base::timestamp()> wall = base::now; // this host's
};

/// Without it a process' groups wait for as long; then others have its partitions.
inline constexpr std::chrono::seconds wrong_for_long{20};

class clock {
  public:
    clock(boost::asio::any_io_executor, clock_options);

    /// Reads it again and again. Never ends by itself; may be run again.
    boost::asio::awaitable<void> run();

    base::known_time now() const;
    base::time_source source() const {
        return [this] { return now(); };
    }
    /// Why this process decides nothing that stays; nothing: it does.
    std::optional<trouble::entry> trouble() const;

    /// Ends when this host's clock has been wrong for so long. run() must run beside it.
    boost::asio::awaitable<void> wrong_for(std::chrono::milliseconds);

  private:
    kafka::producer producer_;
    std::string topic_;
    std::chrono::milliseconds every_;
    std::function<base::timestamp()> wall_;
    estimate estimate_;
    std::string failure_; // of the last tick
};

} // namespace semel::ticks
