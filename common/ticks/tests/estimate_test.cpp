#include <gtest/gtest.h>
#include <ticks/estimate.hpp>

#include <algorithm>
#include <random>

namespace semel::ticks {
namespace {

using namespace std::chrono_literals;
using base::duration;
using base::instant;
using base::timestamp;

constexpr instant begin{1'000s};
constexpr timestamp noon{1'780'000'000s};

/// Two clocks that run as clocks do, and the way between them.
struct world {
    std::mt19937_64 dice;
    instant steady = begin;
    timestamp broker = noon;
    double rate = 1.0; // of the broker's clock, against ours

    duration between(duration least, duration most) {
        return duration{std::uniform_int_distribution<std::int64_t>{least.count(), most.count()}(dice)};
    }
    void pass(duration d) {
        steady += d;
        broker += duration{static_cast<std::int64_t>(static_cast<double>(d.count()) * rate)};
    }
    tick exchange(duration slowest) {
        tick t{.sent = steady, .appended = {}, .told = {}};
        pass(between(100us, slowest / 2));
        t.appended = std::chrono::floor<std::chrono::milliseconds>(broker);
        pass(between(100us, slowest / 2));
        t.told = steady;
        return t;
    }
};

bool holds(const span& s, timestamp truth) {
    return s.earliest <= truth && truth <= s.latest;
}

TEST(Estimate, KnowsNothingBeforeTheFirstTickAndLongAfterTheLast) {
    estimate e;
    EXPECT_FALSE(e.at(begin));
    world w;
    e.take(w.exchange(10ms));
    EXPECT_TRUE(e.at(w.steady));
    EXPECT_TRUE(e.at(w.steady + estimate::kept));
    EXPECT_FALSE(e.at(w.steady + estimate::kept + 1us));
}

TEST(Estimate, TheTruthIsAlwaysWithinAndTheSpanIsTheBestTicks) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        world w{.dice = std::mt19937_64{seed}};
        w.rate = 1.0 + static_cast<double>(w.between(-500us, 500us).count()) / 1e6;
        estimate e;
        duration best = estimate::slowest;
        for (int n = 0; n < 40; ++n) {
            const auto t = w.exchange(w.between(2ms, 4s));
            best = std::min(best + 13ms, t.told - t.sent + 1ms); // by so much it grows in six seconds
            e.take(t);
            for (int look = 0; look < 3; ++look) {
                const auto now = e.at(w.steady);
                ASSERT_TRUE(now) << seed;
                ASSERT_TRUE(holds(*now, w.broker)) << seed << " after tick " << n;
                ASSERT_LE(now->latest - now->earliest, best + 10ms) << seed;
                w.pass(700ms);
            }
        }
    }
}

TEST(Estimate, BelievesTheNewestTickWhenAClockWasSet) {
    for (const duration step : {duration{2h}, duration{-2h}, duration{3s}, duration{-3s}}) {
        world w;
        estimate e;
        for (int n = 0; n < 5; ++n) {
            e.take(w.exchange(20ms));
            w.pass(2s);
        }
        w.broker += step; // the broker's was set; or this host slept, which stops the steady clock
        e.take(w.exchange(20ms));
        ASSERT_TRUE(e.at(w.steady));
        EXPECT_TRUE(holds(*e.at(w.steady), w.broker));
    }
}

TEST(Estimate, ATickThatTookTooLongSaysNothing) {
    estimate e;
    e.take({.sent = begin, .appended = noon, .told = begin + estimate::slowest + 1us});
    EXPECT_FALSE(e.at(begin + 6s));
}

TEST(Difference, IsClaimedOnlyWhereItIsCertain) {
    const span s{.earliest = noon, .latest = noon + 100ms};
    EXPECT_FALSE(difference(s, noon));
    EXPECT_FALSE(difference(s, noon + 2'100ms));
    EXPECT_EQ(difference(s, noon + 2'101ms), duration{2'001ms});
    EXPECT_FALSE(difference(s, noon - 2s));
    EXPECT_EQ(difference(s, noon - 2'001ms), -duration{2'001ms});
}

TEST(KnownTime, IsCertainOnlyWhereBothClocksAgree) {
    const auto unknown = judge(std::nullopt, noon);
    EXPECT_EQ(unknown.best, noon);
    EXPECT_FALSE(unknown.certain);
    EXPECT_FALSE(unknown.differs);
    const span s{.earliest = noon, .latest = noon + 50ms};
    const auto right = judge(s, noon + 1s);
    EXPECT_EQ(right.certain, noon) << "never later than it is";
    EXPECT_FALSE(right.differs);
    for (const duration off : {duration{2h}, duration{-2h}}) {
        const auto wrong = judge(s, noon + off);
        EXPECT_FALSE(wrong.certain);
        EXPECT_TRUE(wrong.differs);
        EXPECT_EQ(wrong.best, noon) << "what may be corrected later goes by the broker's all the same";
    }
}

TEST(KnownTime, SaysHowFarOffInWords) {
    EXPECT_EQ(in_words(2h + 5min), "2 h 5 min ahead of");
    EXPECT_EQ(in_words(-3'100ms), "3.1 s behind");
    EXPECT_EQ(in_words(-100min), "100 min behind");
    EXPECT_EQ(in_words(72h), "3 days ahead of");
}

} // namespace
} // namespace semel::ticks
