#include "host_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <utility>

namespace semel::delivery {

namespace {

using steady = std::chrono::steady_clock;

/// The two ends differ: counted in nanoseconds, `never` would be in the past.
steady::time_point as_steady(base::instant at) noexcept {
    return at == never ? steady::time_point::max() : steady::time_point{at};
}

class timer_alarm final : public alarm {
  public:
    timer_alarm(const asio::any_io_executor& executor, base::instant at)
        : timer_(executor, as_steady(at)) {}

    asio::awaitable<void> rung() override {
        auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error && !rang_) {
            throw boost::system::system_error{error};
        }
    }
    void ring() override {
        rang_ = true;
        timer_.cancel();
    }

  private:
    asio::steady_timer timer_;
    bool rang_ = false;
};

} // namespace

host_clock::host_clock(asio::any_io_executor executor, base::time_source source)
    : executor_(std::move(executor))
    , source_(std::move(source)) {}

std::unique_ptr<alarm> host_clock::set(base::instant at) {
    return std::make_unique<timer_alarm>(executor_, at);
}

} // namespace semel::delivery
