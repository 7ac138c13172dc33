#pragma once
// The clock of a simulated process.

#include "world.hpp"

#include <delivery/engine/clock.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>

namespace semel::simulation {

class sim_clock final : public delivery::clock {
  public:
    /// `looks`: after so many the process is stopped for a moment, at that very place; 0: never.
    sim_clock(world& w, process p, std::uint64_t looks = 0)
        : in_(w)
        , of_(p)
        , looks_between_stops_(looks) {}

    instant now() const noexcept override { return in_.now(); }
    base::known_time time() const override {
        const base::timestamp t{in_.now().time_since_epoch()};
        look();
        if (in_.now() < unsure_until_) { // as after SIGSTOP and SIGCONT: nobody has heard from the broker meanwhile
            return {.best = t};
        }
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

    void look() const {
        looks_at_once_ = in_.now() == looked_at_ ? looks_at_once_ + 1 : 0;
        looked_at_ = in_.now();
        if (looks_at_once_ > 100'000) {
            throw std::logic_error{
                "the time was asked for 100,000 times in one moment: something goes round and round"};
        }
        if (looks_between_stops_ != 0 && ++looks_ % looks_between_stops_ == 0) {
            unsure_until_ = in_.now() + 300ms;
        }
    }

    world& in_;
    process of_;
    std::uint64_t looks_between_stops_;
    mutable std::uint64_t looks_ = 0;
    mutable std::uint64_t looks_at_once_ = 0;
    mutable instant looked_at_{};
    mutable instant unsure_until_{};
};

} // namespace semel::simulation
