#pragma once
// Waiting for a fact. Whoever changes what the fact rests on says so; whoever waits looks again, and at nothing in
// between. One condition for each fact; one strand.

#include <delivery/engine/clock.hpp>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <vector>

namespace semel::delivery {

class condition {
  public:
    condition() = default;
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;

    void changed() {
        for (auto* bell : waiting_) {
            bell->ring();
        }
    }

  private:
    friend class waiter;
    std::vector<alarm*> waiting_;
};

/// Waits in the line of several conditions, for as long as it lives.
class waiter {
  public:
    waiter(std::unique_ptr<alarm> bell, std::initializer_list<condition*> facts)
        : bell_(std::move(bell))
        , facts_(facts) {
        for (auto* fact : facts_) {
            fact->waiting_.push_back(bell_.get());
        }
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
        for (auto* fact : facts_) {
            std::erase(fact->waiting_, bell_.get());
        }
    }
    alarm& bell() const noexcept { return *bell_; }

  private:
    std::unique_ptr<alarm> bell_;
    std::vector<condition*> facts_;
};

/// What a wait for something else than a condition waits for: of each look anew.
inline condition& fact_of(condition& c) noexcept {
    return c;
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
