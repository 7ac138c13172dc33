#include "pacing.hpp"

#include <algorithm>

namespace semel::plan {
namespace {

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
    const auto waited = last_.queued + last_.put_back + since_;
    if (read_at_ && now > *read_at_ && waited > 0) {
        const auto speed = std::max(r.done - last_.done, 0.0) / seconds(now - *read_at_);
        if (per_second_ == 0 || r.queued + r.put_back <= 0) {
            per_second_ = std::max(per_second_, speed);
        } else {
            per_second_ = 0.7 * per_second_ + 0.3 * speed;
        }
    }
    last_ = r;
    since_ = 0;
    read_at_ = now;
}

double lane::room(const pace& p, double part) const noexcept {
    const auto queue = per_second_ == 0 ? p.window : std::max(p.least, per_second_ * seconds(p.ahead));
    const auto put_back = std::max(p.window, per_second_ * seconds(p.ahead_put_back));
    return part * std::min(queue - last_.queued, put_back - last_.put_back) - since_;
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
