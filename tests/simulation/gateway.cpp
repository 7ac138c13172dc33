#include "gateway.hpp"

#include <base/ids.hpp>

#include <utility>

namespace semel::simulation {

using delivery::verdict;

namespace {

verdict says(verdict::kind what, std::string code) {
    verdict v;
    v.what = what;
    v.code = std::move(code);
    return v;
}

} // namespace

class sim_gateway::held final : public delivery::staged {
  public:
    held(std::shared_ptr<state> s, const delivery::outbound& m)
        : state_(std::move(s))
        , message_(m) {
        ++state_->used;
    }
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    ~held() override {
        --state_->used;
        for (const auto& one : std::exchange(state_->waiting, {})) {
            state_->in.hasten(one);
        }
    }

    asio::awaitable<verdict> release() override {
        auto& w = state_->in;
        const auto& how = state_->how;
        auto v = says(verdict::kind::accepted, "ok");
        v.message_id = base::to_hex(message_.notification).substr(0, 8);
        journey way{.arrives = w.now() + w.between(100us, 20ms), .back = w.between(100us, 50ms)};
        way.patience = 20s;
        bool accepts = true;
        if (w.chance(how.never_answers)) {
            way.answered = false;
            accepts = w.chance(0.5);
        } else if (w.chance(how.refuses_for_good)) {
            v = says(verdict::kind::permanent, "no such number");
            accepts = false;
        } else if (w.chance(how.refuses_for_now)) {
            v = says(verdict::kind::transient, "not now");
            accepts = false;
        } else if (w.chance(how.refuses_a_part)) {
            v = says(verdict::kind::unknown, "a fragment");
            v.parts = {.accepted = 1, .refused = 1};
            v.rest_after = 100ms;
            accepts = false;
        } else if (w.chance(how.late)) {
            way.back += w.between(2s, 12s);
        }
        if (!accepts && way.answered && how.refuses_late > 0 && w.chance(how.refuses_late)) {
            way.back += w.between(2s, 12s);
        }
        const auto answer = co_await call<verdict>(w, state_->of, way, [s = state_, accepts, v, m = message_] {
            if (accepts) {
                s->truth.accepted(s->of, m);
            }
            return v;
        });
        co_return answer.value_or(says(verdict::kind::unknown, "no answer"));
    }

  private:
    std::shared_ptr<state> state_;
    delivery::outbound message_;
};

asio::awaitable<delivery::beginning> sim_gateway::stage(const delivery::outbound& m,
                                                        std::chrono::milliseconds patience) {
    const auto s = state_;
    const auto until = s->in.now() + patience;
    while (s->used >= s->how.window) {
        if (s->in.now() >= until) {
            co_return delivery::busy{};
        }
        co_await wait(s->in, s->of, until, [s](world::ticket t) { s->waiting.push_back(t); });
    }
    std::unique_ptr<delivery::staged> one = std::make_unique<held>(s, m);
    const auto writing = s->in.chance(s->how.slow) ? s->in.between(2s, 14s) : s->in.between(0us, 60ms);
    co_await delay(s->in, s->of, writing);
    co_return delivery::beginning{std::move(one)};
}

asio::awaitable<void> sim_gateway::run() {
    for (;;) {
        co_await delay(state_->in, state_->of, 1h);
    }
}

} // namespace semel::simulation
