#pragma once
// Waiting for a fact. Whoever changes what the fact rests on says so; whoever waits looks again, and at nothing in
// between. (runtime/condition wakes whoever waits on one executor; this goes by the engine's clock, which a simulation
// moves, and waits for several at once.) One strand.

#include <delivery/engine/clock.hpp>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <vector>

namespace semel::delivery {

class fact {
  public:
    fact() = default;
    fact(const fact&) = delete;
    fact& operator=(const fact&) = delete;

    void changed() {
        for (auto* bell : waiting_) {
            bell->ring();
        }
    }

  private:
    friend class waiter;
    std::vector<alarm*> waiting_;
};

/// Waits in the line of several facts, for as long as it lives.
class waiter {
  public:
    waiter(std::unique_ptr<alarm> bell, std::initializer_list<fact*> facts)
        : bell_(std::move(bell))
        , facts_(facts) {
        for (auto* one : facts_) {
            one->waiting_.push_back(bell_.get());
        }
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
        for (auto* one : facts_) {
            std::erase(one->waiting_, bell_.get());
        }
    }
    alarm& bell() const noexcept { return *bell_; }

  private:
    std::unique_ptr<alarm> bell_;
    std::vector<fact*> facts_;
};

/// What a wait for something that has a fact waits for: of each look anew.
inline fact& fact_of(fact& f) noexcept {
    return f;
}

/// Whether it holds before the deadline (`never`: it will). All that it looks at, but for the time, must be among the
/// facts, and the facts must outlive the waiting. Nothing is awaited between a look and the wait, so no change is
/// missed. Cancellable: throws.
template <class Predicate, class... Fact>
asio::awaitable<bool> until(clock& time, base::instant deadline, Predicate holds, Fact&... facts) {
    while (!holds()) {
        if (time.now() >= deadline) {
            co_return false;
        }
        const waiter here{time.set(deadline), {&fact_of(facts)...}};
        co_await here.bell().rung();
    }
    co_return true;
}

} // namespace semel::delivery
