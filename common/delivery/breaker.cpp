#include "breaker.hpp"

#include <algorithm>

namespace semel::delivery {

void breaker::succeeded() noexcept {
    pause_ = {};
    stopped_because_.clear();
    if (++answers_ >= policy_.window) {
        answers_ /= 2;
        failures_ /= 2;
    }
}

void breaker::failed(base::instant now) noexcept {
    ++answers_;
    ++failures_;
    if (open(now)) {
        return; // it was sent before
    }
    if (!unproven() && (answers_ < policy_.at_least || failures_ < policy_.open_at * answers_)) {
        return;
    }
    pause_ = pause_ == base::duration{} ? policy_.first_pause : std::min(pause_ * 2, policy_.longest_pause);
    open_until_ = std::max(open_until_, now + pause_);
    answers_ = 0;
    failures_ = 0;
}

void breaker::stop(base::instant now, std::string why) {
    stopped_because_ = std::move(why);
    pause_ = policy_.longest_pause;
    open_until_ = now + policy_.longest_pause;
}

void breaker::pause_until(base::instant until) noexcept {
    open_until_ = std::max(open_until_, until);
}

} // namespace semel::delivery
