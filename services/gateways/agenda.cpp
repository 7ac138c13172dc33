#include "agenda.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>

namespace semel::gateways {

agenda::agenda(boost::asio::any_io_executor on)
    : timer_(std::move(on)) {}

void agenda::after(std::chrono::microseconds wait, std::function<void()> what) {
    heap_.push_back({clock::now() + wait, order_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end());
    arm();
}

void agenda::arm() {
    if (heap_.empty() || heap_.front().due >= armed_for_) {
        return;
    }
    armed_for_ = heap_.front().due;
    timer_.expires_at(armed_for_); // what waited before is cancelled
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            armed_for_ = clock::time_point::max();
            run();
        }
    });
}

void agenda::run() {
    const auto now = clock::now();
    while (!heap_.empty() && heap_.front().due <= now) {
        std::pop_heap(heap_.begin(), heap_.end());
        const auto what = std::move(heap_.back().what);
        heap_.pop_back();
        what();
    }
    arm();
}

} // namespace semel::gateways
