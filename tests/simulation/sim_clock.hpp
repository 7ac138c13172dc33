#pragma once
// The clock of a simulated process.

#include "world.hpp"

#include <delivery/engine/clock.hpp>

#include <memory>

namespace semel::simulation {

class sim_clock final : public delivery::clock {
  public:
    sim_clock(world& w, process p)
        : in_(w)
        , of_(p) {}

    instant now() const noexcept override { return in_.now(); }
    base::known_time time() const override {
        const base::timestamp t{in_.now().time_since_epoch()};
        return {.best = t, .certain = t};
    }
    std::unique_ptr<delivery::alarm> set(instant at) override { return std::make_unique<bell>(in_, of_, at); }

  private:
    class bell final : public delivery::alarm {
      public:
        bell(world& w, process p, instant at)
            : in_(w)
            , of_(p)
            , at_(at) {}
        asio::awaitable<void> rung() override {
            co_await wait(in_, of_, at_, [this](world::ticket t) { ticket_ = t; });
        }
        void ring() override { in_.hasten(ticket_); }

      private:
        world& in_;
        process of_;
        instant at_;
        world::ticket ticket_;
    };

    world& in_;
    process of_;
};

} // namespace semel::simulation
