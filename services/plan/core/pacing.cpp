#include "pacing.hpp"

#include <algorithm>
#include <utility>

namespace semel::plan {
namespace {

constexpr std::chrono::seconds shortest_measurement{1}; // transactions come by tenths of a second
constexpr std::chrono::milliseconds nearly_dry{500};    // of sending

double seconds(base::duration d) {
    return std::chrono::duration<double>(d).count();
}

} // namespace

stance stance_of(const v1::Campaign& campaign, const v1::Wave& wave, std::optional<base::timestamp> now) {
    if (wave.phase() != v1::WAVE_LAUNCHED) {
        return stance::hold;
    }
    if (campaign.phase() == v1::CAMPAIGN_CANCELLED) {
        return stance::cancel;
    }
    if (campaign.phase() != v1::CAMPAIGN_RUNNING && campaign.phase() != v1::CAMPAIGN_PAUSED) {
        return stance::hold;
    }
    if (!now) {
        return stance::hold;
    }
    if (campaign.deadline_us() != 0 && *now > base::from_us(campaign.deadline_us())) {
        return stance::expire;
    }
    if (campaign.phase() == v1::CAMPAIGN_PAUSED || *now < base::from_us(campaign.start_us())) {
        return stance::hold;
    }
    return stance::send;
}

void lane::read(const reading& r, base::instant now) {
    had_work_ = had_work_ || last_.queued + since_ > 0;
    last_ = r;
    since_ = 0;
    if (!speed_from_) {
        speed_from_ = {.done = r.done, .at = now};
        return;
    }
    if (now - speed_from_->at < shortest_measurement) {
        return;
    }
    if (had_work_) {
        learn(std::max(r.done - speed_from_->done, 0.0) / seconds(now - speed_from_->at));
    }
    speed_from_ = {.done = r.done, .at = now};
    had_work_ = false;
}

/// Who had next to nothing left could have done more. What is under way counts as queued, so it is never nothing.
void lane::learn(double speed) {
    const bool ran_dry = last_.queued < seconds(nearly_dry) * speed;
    if (per_second_ == 0 || ran_dry) {
        per_second_ = std::max(per_second_, speed);
    } else {
        per_second_ = 0.7 * per_second_ + 0.3 * speed;
    }
}

double lane::room(const pace& p, double part) const noexcept {
    const auto queue = per_second_ == 0 ? p.window : std::max(p.least, per_second_ * seconds(p.ahead));
    const auto put_back = std::max(p.window, per_second_ * seconds(p.ahead_put_back));
    return part * std::min(queue - last_.queued, put_back - last_.put_back) - since_;
}

no_room::word no_room::look(bool full, base::instant now) {
    if (!full) {
        const auto was_said = std::exchange(said_, false);
        since_.reset();
        return was_said ? word::goes_on : word::none;
    }
    since_ = since_.value_or(now);
    if (said_ || now - *since_ < worth_a_word) {
        return word::none;
    }
    said_ = true;
    return word::stands;
}

allowance::allowance(double per_second, const pace& p, base::instant now)
    : per_second_(per_second)
    , most_(per_second * seconds(p.ahead))
    , left_(most_)
    , at_(now) {}

double allowance::left(base::instant now) {
    if (now > at_) {
        left_ = std::min(most_, left_ + per_second_ * seconds(now - at_));
        at_ = now;
    }
    return left_;
}

} // namespace semel::plan
