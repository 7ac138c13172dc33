#include "overflow.hpp"

#include <algorithm>

namespace semel::delivery {

void overflow::answered(base::instant now) {
    roll(now);
    ++answers_;
}

std::chrono::milliseconds overflow::turn_away(base::instant now) {
    using seconds = std::chrono::duration<double>;
    roll(now);
    next_turn_ = std::max(next_turn_, now) + std::chrono::duration_cast<base::duration>(seconds{1 / per_second(now)});
    return next_turn_ - now < policy_.near ? std::chrono::milliseconds{} : policy_.far;
}

void overflow::roll(base::instant now) {
    const auto length = now - began_;
    if (length < policy_.span) {
        return;
    }
    before_ = length < 2 * policy_.span ? span{.length = length, .answers = answers_} : span{}; // it was idle meanwhile
    began_ = now;
    answers_ = 0;
}

double overflow::per_second(base::instant now) const noexcept {
    const auto length = std::max(before_.length + (now - began_), policy_.briefly);
    const auto answers = before_.answers + answers_;
    return std::max(answers / std::chrono::duration<double>(length).count(), policy_.least);
}

} // namespace semel::delivery
