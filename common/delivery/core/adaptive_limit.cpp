#include "adaptive_limit.hpp"

#include <algorithm>
#include <cmath>

namespace semel::delivery {

namespace {

double seconds(base::duration d) noexcept {
    return std::chrono::duration<double>(d).count();
}

base::duration interval(double per_second) noexcept {
    return std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(1 / per_second));
}

/// More of `n` than chance makes of a share: three standard deviations.
bool beyond_chance(unsigned refused, unsigned n, double share) noexcept {
    const double mean = share * n;
    return refused > mean + 3 * std::sqrt(std::max(mean * (1 - share), 0.1));
}

// Pieces of work do not come evenly: so much may go at once.
constexpr base::duration burst = std::chrono::milliseconds{50};

} // namespace

void adaptive_limit::accepted(base::instant, base::instant now) {
    if (began_ == base::instant{}) {
        begin(now);
    }
    ++accepted_;
    ++clean_;
    look(now);
}

void adaptive_limit::throttled(base::instant sent, base::instant now) {
    if (sent < slowed_) {
        return;
    }
    if (began_ == base::instant{}) {
        begin(now);
    }
    ++throttled_;
    clean_ = 0;
    look(now);
}

std::optional<base::duration> adaptive_limit::take(base::instant now, base::duration most) {
    if (!limit_) {
        return base::duration{};
    }
    const auto place = std::max(next_, now - burst);
    const auto wait = std::max(place - now, base::duration{});
    if (wait > most) {
        return std::nullopt;
    }
    next_ = place + interval(*limit_);
    return wait;
}

void adaptive_limit::begin(base::instant now) noexcept {
    began_ = now;
    accepted_ = 0;
    throttled_ = 0;
}

void adaptive_limit::look(base::instant now) {
    const auto past = now - began_;
    if (past < policy_.step) {
        return;
    }
    const unsigned answers = accepted_ + throttled_;
    const seen what{.sent_per_s = answers / seconds(past),
                    .accepted_per_s = accepted_ / seconds(past),
                    .share = static_cast<double>(throttled_) / answers};
    const bool enough = answers >= policy_.enough || past >= policy_.sparse;
    const auto more_than = [&](double share) {
        return enough && beyond_chance(throttled_, answers, std::min(background(now) + share, 1.0));
    };
    if (past < policy_.window) {
        if (more_than(policy_.severe)) {
            slow_down_at_once(what, now);
            begin(now);
        }
        return;
    }
    if (!enough && throttled_ > 0) {
        return;
    }
    if (more_than(policy_.noise)) {
        slow_down(what, now);
    } else if (limit_) {
        what.share <= background(now) + policy_.quiet ? rise(what, now) : probe(what);
    }
    begin(now);
}

void adaptive_limit::lower_to(double pace, base::instant now) {
    limit_ = std::max(std::min(pace, limit_.value_or(pace)), policy_.least);
    step_up_ = policy_.careful_rise;
    slowed_ = now;
    noisy_windows_ = 0;
    before_probe_.reset();
}

/// What was accepted says little here: a part of a second may have begun with what the gateway had saved up, or ended
/// after it had counted enough for the whole.
void adaptive_limit::slow_down_at_once(const seen& what, base::instant now) {
    refused_at_ = accepted_ > 0 ? what.sent_per_s : std::max(refused_at_, what.sent_per_s);
    lower_to(what.sent_per_s / 2, now);
    before_.reset();
}

void adaptive_limit::slow_down(const seen& what, base::instant now) {
    if (before_ && accepted_ > 0 && what.sent_per_s <= before_->sent_per_s * policy_.in_vain &&
        what.share >= before_->share * 0.8) {
        background_ = what.share;
        believed_until_ = now + policy_.forget;
        limit_ = std::max(before_->sent_per_s, *limit_);
        before_.reset();
        return;
    }
    if (!before_) {
        before_ = what;
    }
    if (accepted_ == 0) {
        refused_at_ = std::max(refused_at_, what.sent_per_s);
    } else if (accepted_ + throttled_ >= policy_.enough) {
        refused_at_ = what.accepted_per_s;
    } else {
        refused_at_ = std::max(what.accepted_per_s, refused_at_ / 2); // a few answers do not speak of every pace
    }
    // Where some are accepted, that is what the gateway takes; where none are, nobody knows.
    lower_to(accepted_ > 0 ? what.accepted_per_s * policy_.below : what.sent_per_s / 2, now);
}

/// Quickly to where refusals began, then carefully, and less so with each window that nothing is refused in: they may
/// be over.
void adaptive_limit::rise(const seen& what, base::instant now) {
    before_.reset();
    before_probe_.reset();
    noisy_windows_ = 0;
    if (*limit_ > 4 * what.sent_per_s && now - slowed_ > policy_.forget) {
        limit_.reset(); // nobody has met it for long
    } else if (*limit_ < refused_at_ / 2) {
        *limit_ *= 2;
    } else if (*limit_ < refused_at_ * 0.9) {
        *limit_ *= 1.25;
    } else {
        *limit_ *= 1 + step_up_;
        if (clean_ >= policy_.trusted) {
            step_up_ = std::min(step_up_ * 1.5, policy_.fastest_rise);
        }
    }
}

/// A few are refused: at this pace, or at every pace. Now and then a window a little faster finds out.
void adaptive_limit::probe(const seen& what) {
    step_up_ = policy_.careful_rise;
    if (before_probe_) {
        if (what.share > share_before_probe_ * 1.5 + policy_.quiet) {
            limit_ = *before_probe_;
        }
        before_probe_.reset();
        return;
    }
    if (++noisy_windows_ % policy_.between_probes == 0) {
        before_probe_ = limit_;
        share_before_probe_ = what.share;
        *limit_ *= 1 + policy_.probe;
    } else {
        limit_ = std::max(*limit_ * (1 - policy_.careful_rise), policy_.least);
    }
}

} // namespace semel::delivery
