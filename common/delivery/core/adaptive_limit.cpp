#include "adaptive_limit.hpp"

#include <algorithm>
#include <cmath>

namespace semel::delivery {

namespace {

double seconds(base::duration d) noexcept {
    return std::chrono::duration<double>(d).count();
}

// Pieces of work do not come evenly: so much may go at once.
constexpr base::duration burst = std::chrono::milliseconds{50};

// Who sends less than this share of the pace is slower for another reason than a moment's.
constexpr double held_up = 0.75;

} // namespace

std::optional<base::duration> adaptive_limit::take(base::instant now, base::duration most, unsigned places) {
    idled(now - std::max(next_, heard_), now);
    if (pace_ == unknown) {
        next_ = now;
        return base::duration{};
    }
    const auto place = std::max(next_, now - burst);
    const auto wait = std::max(place - now, base::duration{});
    if (wait > most) {
        return std::nullopt;
    }
    next_ = place + std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(places / pace_));
    return wait;
}

void adaptive_limit::heard(submissions how, base::instant sent, base::instant now) {
    heard_ = std::max(heard_, now);
    if (sent < period_.began) {
        return;
    }
    const bool first_refusal = how.refused > 0 && period_.answers.refused == 0;
    if (period_.began == base::instant{} || first_refusal) {
        begin(sent);
    }
    period_.answers.accepted += how.accepted;
    period_.answers.refused += how.refused;
    judge(sent - period_.began, now, how.refused > 0);
}

/// Nothing was sent for want of work, and what a gateway had no chance to take says nothing of it.
void adaptive_limit::idled(base::duration gap, base::instant until) {
    if (gap <= policy_.first_step) {
        return;
    }
    if (period_.answers.refused <= noise(until)) {
        forget(until);
    }
    if (gap > policy_.step) {
        begin(until);
    } else {
        period_.has_gaps = true;
    }
}

adaptive_limit::flow adaptive_limit::period::over(base::duration past) const noexcept {
    const auto s = seconds(past);
    return {
        .sent_per_s = heard() / s, .accepted_per_s = answers.accepted / s, .refused_share = answers.refused / heard()};
}

double adaptive_limit::noise(base::instant now) const noexcept {
    return (background(now) + policy_.noise) * period_.heard();
}

bool adaptive_limit::is_near() const noexcept {
    return std::abs(pace_ - refused_at_) < 0.1 * refused_at_;
}

/// What a gateway takes shows between two refusals: what it had saved up is gone then.
void adaptive_limit::judge(base::duration past, base::instant now, bool refused_last) {
    const auto refused = period_.answers.refused;
    const bool too_many = refused_last && refused >= noise(now) + policy_.several;
    const bool last = past >= policy_.sparse;
    if (refused <= noise(now)) {
        const auto enough = is_near() ? policy_.enough : policy_.few;
        if (past >= (slowed_ ? policy_.step : policy_.first_step) && (last || period_.heard() >= enough)) {
            rise(period_.over(past), now);
        }
    } else if (!slowed_ && past >= policy_.first_step && too_many && refused > period_.answers.accepted) {
        // Far too fast: too little was heard to tell what it takes, but it need not be asked like this for a second.
        const auto seen = period_.over(past);
        slow_down_to(std::max(untried(), std::clamp(seen.accepted_per_s, seen.sent_per_s / 8, seen.sent_per_s / 4)),
                     now);
    } else if (past >= policy_.step) { // a gateway may count by whole seconds
        if (too_many || (last && refused > 1)) {
            slow_down(period_.over(past), now);
        } else if (last) {
            rise(period_.over(past), now);
        }
    }
}

/// What was accepted in whole seconds, while more was refused, is what the gateway takes; where nothing was accepted,
/// nobody knows.
void adaptive_limit::slow_down(const flow& seen, base::instant now) {
    if (in_vain(seen, now)) {
        begin(now);
    } else if (seen.accepted_per_s == 0) {
        slow_down_to(seen.sent_per_s / 2, now);
    } else {
        const double taken = std::max(untried(), seen.accepted_per_s);
        const double guessed = unstalled(seen);
        refused_at_ = std::max(taken, guessed) / (1 - background(now));
        slow_down_to((guessed > taken ? policy_.below_a_guess : policy_.below) * refused_at_, now);
    }
}

/// What would have been accepted at our pace. Who went a little slower than that was held up (a busy host, a gateway
/// that wrote something down), and what was not sent for it is not what the gateway takes.
double adaptive_limit::unstalled(const flow& seen) const noexcept {
    return !period_.has_gaps && seen.sent_per_s > held_up * pace_ ? pace_ * (1 - seen.refused_share) : 0;
}

/// With gaps in it a period shows less than the gateway takes. How much less nobody knows, but a quarter of the pace is
/// low enough for a second: then there is another one.
double adaptive_limit::untried() const noexcept {
    return pace_ < unknown && period_.has_gaps ? pace_ / 4 : 0;
}

void adaptive_limit::slow_down_to(double pace, base::instant now) {
    pace_ = std::max(std::min(pace, pace_), policy_.least);
    slowed_ = true;
    slowed_at_ = now;
    begin(now + policy_.step); // until then a gateway may hold against us what we sent before
}

/// As many are refused at a slower pace, and fewer are taken: it is not about ours, and where we were is as good.
bool adaptive_limit::in_vain(const flow& seen, base::instant now) {
    if (!before_) {
        before_ = standing{.pace = pace_, .refused_at = refused_at_, .slowed = slowed_, .seen = seen};
        return false;
    }
    const auto& was = before_->seen;
    const double slower = seen.sent_per_s / was.sent_per_s;
    if (slower > 0.75 || seen.accepted_per_s > 1.05 * slower * was.accepted_per_s ||
        seen.refused_share < 0.8 * was.refused_share || seen.refused_share > policy_.any_pace) {
        return false;
    }
    background_ = seen.refused_share;
    believed_until_ = now + policy_.forget;
    pace_ = before_->pace;
    refused_at_ = before_->refused_at;
    slowed_ = before_->slowed;
    before_.reset();
    return true;
}

/// Half of the way to where refusals began; from there, twice as far beyond it as before.
void adaptive_limit::rise(const flow& seen, base::instant now) {
    before_.reset();
    begin(now);
    if (seen.sent_per_s < pace_ / 2) { // nothing is held back
        forget(now);
        return;
    }
    const double beyond = pace_ - refused_at_;
    const double next = beyond < 0 ? pace_ - beyond / 2 : pace_ + beyond;
    const double least = std::max(policy_.careful * pace_, policy_.least / 3); // so that the slower of two catches up
    pace_ = std::min(std::max(next, pace_ + least), 2 * pace_);
}

void adaptive_limit::forget(base::instant now) noexcept {
    if (now - slowed_at_ > policy_.forget) {
        slowed_ = false;
        refused_at_ = unknown;
    }
}

} // namespace semel::delivery
