#pragma once
// What is to be done later, for all connections together: one timer. One thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace semel::gateways {

class agenda {
  public:
    using clock = std::chrono::steady_clock;
    explicit agenda(boost::asio::any_io_executor);
    void after(std::chrono::microseconds, std::function<void()>);

  private:
    struct entry {
        clock::time_point due;
        std::uint64_t order; // what is due at once happens in the order of asking
        std::function<void()> what;
        bool operator<(const entry& other) const { // the earliest on top of a heap
            return due != other.due ? due > other.due : order > other.order;
        }
    };
    void arm();
    void run();

    boost::asio::steady_timer timer_;
    std::vector<entry> heap_;
    std::uint64_t order_ = 0;
    clock::time_point armed_for_ = clock::time_point::max();
};

} // namespace semel::gateways
