#include <delivery/core/adaptive_limit.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <random>

namespace {

using namespace semel;
using namespace std::chrono_literals;
using delivery::adaptive_limit;

/// A gateway that answers 5 ms after it was asked; whether it refuses is `full`'s to say.
using full = std::function<bool(base::instant)>;

/// Lets `rate` messages a second through for ever, and `depth` at once.
full bucket(double rate, double depth) {
    return [=, left = depth, last = base::instant{}](base::instant now) mutable {
        if (last != base::instant{}) {
            left = std::min(depth, left + rate * std::chrono::duration<double>(now - last).count());
        }
        last = now;
        if (left < 1) {
            return true;
        }
        left -= 1;
        return false;
    };
}

/// Counts by the second of its own clock.
full by_the_second(unsigned most) {
    return [=, second = std::int64_t{}, count = 0U](base::instant now) mutable {
        if (const auto s = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count(); s != second) {
            second = s;
            count = 0;
        }
        return count++ >= most;
    };
}

full by_chance(double share, unsigned seed = 7) {
    return [=, dice = std::mt19937{seed}](base::instant) mutable { return std::bernoulli_distribution{share}(dice); };
}

/// What a sender that could do `able` messages a second does in `time` through the limit.
struct traffic {
    double accepted_per_s = 0;
    double refused_share = 0;
};

class sender {
  public:
    sender(adaptive_limit& limit, double able)
        : limit_(limit)
        , able_(able) {}

    traffic run(full& gateway, base::duration time) {
        const auto began = now_;
        unsigned accepted = 0, refused = 0;
        const auto one = std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(1 / able_));
        while (now_ - began < time) {
            now_ += one;
            hear();
            if (const auto wait = limit_.take(now_, 1s)) {
                now_ += *wait;
                hear();
                const bool no = gateway(now_);
                ++(no ? refused : accepted);
                under_way_.push_back({.sent = now_, .refused = no});
            }
        }
        const auto s = std::chrono::duration<double>(now_ - began).count();
        return {.accepted_per_s = accepted / s,
                .refused_share = static_cast<double>(refused) / std::max(accepted + refused, 1U)};
    }

    /// Sends and hears nothing for so long.
    void stand_still(base::duration time) {
        hear();
        now_ += time;
        while (!under_way_.empty()) {
            tell(under_way_.front(), now_);
            under_way_.pop_front();
        }
    }

    /// Goes on where the other has stopped.
    void skip_to(const sender& other) { now_ = other.now_; }

  private:
    struct question {
        base::instant sent;
        bool refused;
    };
    void hear() {
        while (!under_way_.empty() && under_way_.front().sent + 5ms <= now_) {
            const auto q = under_way_.front();
            under_way_.pop_front();
            tell(q, q.sent + 5ms);
        }
    }
    void tell(const question& q, base::instant now) {
        q.refused ? limit_.throttled(q.sent, now) : limit_.accepted(q.sent, now);
    }

    adaptive_limit& limit_;
    double able_;
    base::instant now_{1h};
    std::deque<question> under_way_;
};

TEST(AdaptiveLimit, HoldsNothingBackWhileNothingIsRefused) {
    adaptive_limit limit;
    sender s{limit, 1500};
    full never = [](base::instant) { return false; };
    EXPECT_GT(s.run(never, 20s).accepted_per_s, 1490);
    EXPECT_FALSE(limit.limit());
}

struct allowance {
    const char* name;
    double rate, depth; // depth 0: counted by the second
};
class Settles : public testing::TestWithParam<allowance> {};

TEST_P(Settles, WithinTenSecondsAtWhatTheGatewayTakes) {
    const auto& a = GetParam();
    adaptive_limit limit;
    sender s{limit, 1500};
    auto gateway = a.depth > 0 ? bucket(a.rate, a.depth) : by_the_second(static_cast<unsigned>(a.rate));
    s.run(gateway, 10s);
    const auto settled = s.run(gateway, 60s);
    EXPECT_GE(settled.accepted_per_s, 0.9 * a.rate);
    // Of a few messages a second, one refusal is a large share.
    EXPECT_LT(settled.refused_share, a.rate < 100 ? 0.03 : 0.02);
}

INSTANTIATE_TEST_SUITE_P(AdaptiveLimit, Settles,
                         testing::Values(allowance{"Slow", 20, 20}, allowance{"SlowByTheSecond", 20, 0},
                                         allowance{"Middling", 200, 200}, allowance{"Shallow", 200, 10},
                                         allowance{"ByTheSecond", 200, 0}, allowance{"Fast", 1000, 100}),
                         [](const auto& i) { return i.param.name; });

TEST(AdaptiveLimit, RefusalsAtEveryPaceCostNoMoreThanThemselves) {
    for (const double share : {0.01, 0.05, 0.2}) {
        adaptive_limit limit;
        sender s{limit, 1000};
        auto gateway = by_chance(share);
        s.run(gateway, 20s);
        EXPECT_GE(s.run(gateway, 120s).accepted_per_s, 0.8 * 1000 * (1 - share)) << share;
    }
}

TEST(AdaptiveLimit, OneInAHundredSlowsNothingDown) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        adaptive_limit limit;
        sender s{limit, 1000};
        auto gateway = by_chance(0.01, seed);
        EXPECT_GE(s.run(gateway, 30s).accepted_per_s, 0.95 * 1000 * 0.99) << "seed " << seed;
    }
}

TEST(AdaptiveLimit, NeverStandsStillAndComesBackSoon) {
    adaptive_limit limit;
    sender s{limit, 1000};
    full all = [](base::instant) { return true; };
    const auto closed = s.run(all, 60s);
    EXPECT_GT(closed.refused_share, 0.99);
    ASSERT_TRUE(limit.limit());
    EXPECT_GE(*limit.limit(), 1);
    EXPECT_LE(*limit.limit(), 2);
    full none = [](base::instant) { return false; };
    EXPECT_GE(s.run(none, 30s).accepted_per_s, 200);
    s.run(none, 60s);
    EXPECT_GE(s.run(none, 10s).accepted_per_s, 900);
}

TEST(AdaptiveLimit, RefusalsThatStopHoldASlowLaneBackForSecondsOnly) {
    adaptive_limit limit;
    sender s{limit, 1000};
    full all = [](base::instant) { return true; };
    s.run(all, 60s);
    full twice = [left = 2](base::instant) mutable { return left-- > 0; };
    s.run(twice, 60s);
    ASSERT_TRUE(limit.pace());
    EXPECT_GE(*limit.pace(), 100) << "from one a second";
}

TEST(AdaptiveLimit, ABurstOfRefusalsIsForgottenSoon) {
    adaptive_limit limit;
    sender slow{limit, 40}; // little was sent while it refused: that says nothing of what the gateway takes
    full half = by_chance(0.5);
    slow.run(half, 2s);
    ASSERT_TRUE(limit.limit());
    EXPECT_LT(*limit.limit(), 40);
    full none = [](base::instant) { return false; };
    sender after{limit, 1000};
    after.skip_to(slow);
    after.run(none, 30s);
    EXPECT_GE(after.run(none, 5s).accepted_per_s, 500);
}

TEST(AdaptiveLimit, FollowsAGatewayThatTakesMoreOrLessThanBefore) {
    adaptive_limit limit;
    sender s{limit, 2000};
    for (const double rate : {400, 100, 800}) {
        auto gateway = bucket(rate, rate / 2);
        s.run(gateway, 60s);
        const auto settled = s.run(gateway, 60s);
        EXPECT_GE(settled.accepted_per_s, 0.9 * rate) << rate;
        EXPECT_LT(settled.refused_share, 0.02) << rate;
    }
}

TEST(AdaptiveLimit, WhoIsHeldUpForAMomentThinksNoLessOfTheGateway) {
    adaptive_limit limit;
    sender s{limit, 5000};
    auto gateway = bucket(1000, 50);
    s.run(gateway, 30s);
    for (int i = 0; i < 30; ++i) {
        s.run(gateway, 1700ms);
        s.stand_still(300ms); // the host does something else; then what waited goes
        ASSERT_TRUE(limit.pace());
        EXPECT_GE(*limit.pace(), 0.9 * 1000) << "after " << i << " times";
    }
}

TEST(AdaptiveLimit, WhatWasSentBeforeASlowingDownLowersItNoFurther) {
    adaptive_limit limit;
    const base::instant start{1h};
    for (int i = 0; i < 100; ++i) { // half of 100 in half a second
        const auto at = start + i * 5ms;
        i % 2 == 0 ? limit.throttled(at, at) : limit.accepted(at, at);
    }
    ASSERT_TRUE(limit.limit());
    const auto before = *limit.limit();
    for (int i = 0; i < 500; ++i) {
        limit.throttled(start, start + 600ms + i * 1ms);
    }
    EXPECT_EQ(*limit.limit(), before);
}

TEST(AdaptiveLimit, PlacesComeAtTheLimitAndNoneIsTakenByWhoWillNotWait) {
    adaptive_limit limit;
    const base::instant start{1h};
    for (int i = 0; i < 100; ++i) {
        const auto at = start + i * 5ms;
        i % 2 == 0 ? limit.throttled(at, at) : limit.accepted(at, at);
    }
    ASSERT_TRUE(limit.limit());
    const auto now = start + 1s;
    int taken = 0;
    while (limit.take(now, 1s)) {
        ++taken;
    }
    EXPECT_NEAR(taken, *limit.limit() * 1.05, 2);
    EXPECT_FALSE(limit.take(now, 1s));
    EXPECT_TRUE(limit.take(now + 100ms, 1s));
}

} // namespace
