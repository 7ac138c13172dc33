#include "breaker.hpp"

#include <algorithm>

namespace semel::delivery {

void breaker::succeeded() noexcept {
    pause_ = {};
    stopped_because_.clear();
    suspected_ = false;
    if (++answers_ >= policy_.window) {
        answers_ /= 2;
        failures_ /= 2;
    }
}

void breaker::failed(base::instant now) noexcept {
    ++answers_;
    ++failures_;
    if (blocks(now)) {
        return; // it was sent before
    }
    if (!unproven() && (answers_ < policy_.at_least || failures_ < policy_.blocks_at * answers_)) {
        return;
    }
    pause_again(now);
    answers_ = 0;
    failures_ = 0;
}

void breaker::begin_failing(base::instant now) noexcept {
    if (!unproven()) {
        failing_since_ = now;
    }
}

void breaker::pause_again(base::instant now) noexcept {
    begin_failing(now);
    pause_ = pause_ == base::duration{} ? policy_.first_pause : std::min(pause_ * 2, policy_.longest_pause);
    blocked_until_ = std::max(blocked_until_, now + pause_);
}

void breaker::stop(base::instant now, std::string why) {
    stopped_because_ = std::move(why);
    suspected_ = false;
    begin_failing(now);
    pause_ = policy_.longest_pause;
    blocked_until_ = now + policy_.longest_pause;
}

void breaker::suspect(base::instant now, std::string why) {
    if (blocks(now)) {
        return; // it was sent before
    }
    stopped_because_ = std::move(why);
    suspected_ = true;
    pause_again(now);
}

void breaker::clear() noexcept {
    if (suspected_) {
        blocked_until_ = {};
    }
    succeeded();
}

breaker::state breaker::standing(base::instant now) const noexcept {
    constexpr auto still = std::chrono::seconds{10};
    if (!stopped_because_.empty()) {
        return suspected_ ? state::suspected : state::stopped;
    }
    if (unproven()) {
        return state::failing;
    }
    return asked_until_ != base::instant{} && now < asked_until_ + still ? state::paused : state::passing;
}

void breaker::pause_until(base::instant until) noexcept {
    asked_until_ = std::max(asked_until_, until);
    blocked_until_ = std::max(blocked_until_, until);
}

} // namespace semel::delivery
