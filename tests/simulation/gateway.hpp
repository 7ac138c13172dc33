#pragma once
// A gateway that accepts, refuses, and does not answer. The judge knows what it accepted.

#include "call.hpp"
#include "judge.hpp"
#include "world.hpp"

#include <delivery/gateway.hpp>

#include <memory>
#include <string>
#include <vector>

namespace semel::simulation {

struct temper {
    double refuses_for_now = 0.05;
    double refuses_a_part = 0.02;
    double refuses_for_good = 0.03;
    double never_answers = 0.03; ///< half of them accepted
    double late = 0.05;          ///< answers after the range has gone on
    double refuses_late = 0.2;   ///< of what it refuses
    double slow = 0.05;          ///< takes seconds for all but the last bytes
    std::size_t window = 8;
};

class sim_gateway final : public delivery::gateway {
  public:
    sim_gateway(world& w, process p, judge& j, temper how)
        : state_(std::make_shared<state>(w, p, j, how)) {}

    const std::string& name() const noexcept override { return state_->name; }
    bool serves(const delivery::outbound&) const noexcept override { return true; }
    std::size_t window() const noexcept override { return state_->how.window; }
    asio::awaitable<delivery::beginning> stage(const delivery::outbound&, std::chrono::milliseconds patience) override;
    asio::awaitable<void> run() override;
    asio::awaitable<void> close() override { co_return; }

  private:
    struct state {
        state(world& w, process p, judge& j, temper h)
            : in(w)
            , of(p)
            , truth(j)
            , how(h) {}
        world& in;
        process of;
        judge& truth;
        temper how;
        std::string name = "smsc";
        std::size_t used = 0;
        std::vector<world::ticket> waiting; // for one of the window
    };
    class held;
    std::shared_ptr<state> state_;
};

} // namespace semel::simulation
