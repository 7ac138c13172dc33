#pragma once
// The clock of a process that works: this host's steady one, and the broker's time as far as it is known.

#include <delivery/engine/clock.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace semel::delivery {

class host_clock final : public clock {
  public:
    host_clock(asio::any_io_executor, base::time_source);

    base::instant now() const noexcept override { return base::instant_now(); }
    base::known_time time() const override { return source_(); }
    std::unique_ptr<alarm> set(base::instant at) override;

  private:
    asio::any_io_executor executor_;
    base::time_source source_;
};

} // namespace semel::delivery
