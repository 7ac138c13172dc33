#include <gtest/gtest.h>
#include <plan/core/pacing.hpp>

using namespace semel;
using namespace std::chrono_literals;

namespace {

const base::timestamp noon = base::from_us(1'800'000'000'000'000);
const base::instant begun{1h};

plan::stance stance(v1::CampaignPhase campaign, v1::WavePhase wave, std::int64_t deadline = 0, std::int64_t start = 0) {
    v1::Campaign c;
    c.set_phase(campaign);
    c.set_deadline_us(deadline);
    c.set_start_us(start);
    v1::Wave w;
    w.set_phase(wave);
    return plan::stance_of(c, w, noon);
}

const auto before = base::to_us(noon) - 1;
const auto after = base::to_us(noon) + 1;

} // namespace

TEST(Pacing, OnlyALaunchedWaveOfARunningCampaignIsSent) {
    using enum plan::stance;
    for (int c = v1::CampaignPhase_MIN; c <= v1::CampaignPhase_MAX; ++c) {
        for (int w = v1::WavePhase_MIN; w <= v1::WavePhase_MAX; ++w) {
            const bool launched = w == v1::WAVE_LAUNCHED;
            const auto expected = launched && c == v1::CAMPAIGN_RUNNING     ? send
                                  : launched && c == v1::CAMPAIGN_CANCELLED ? cancel
                                                                            : hold;
            EXPECT_EQ(stance(static_cast<v1::CampaignPhase>(c), static_cast<v1::WavePhase>(w)), expected) << c << w;
        }
    }
}

TEST(Pacing, TheDeadlineExpiresWhatIsLeftEvenWhilePaused) {
    EXPECT_EQ(stance(v1::CAMPAIGN_RUNNING, v1::WAVE_LAUNCHED, before), plan::stance::expire);
    EXPECT_EQ(stance(v1::CAMPAIGN_PAUSED, v1::WAVE_LAUNCHED, before), plan::stance::expire);
    EXPECT_EQ(stance(v1::CAMPAIGN_CANCELLED, v1::WAVE_LAUNCHED, before), plan::stance::cancel);
    EXPECT_EQ(stance(v1::CAMPAIGN_RUNNING, v1::WAVE_LAUNCHED, after), plan::stance::send);
    EXPECT_EQ(stance(v1::CAMPAIGN_RUNNING, v1::WAVE_SEALED, before), plan::stance::hold);
}

TEST(Pacing, WhileTheTimeIsNotCertainNothingLeavesAndNothingExpires) {
    v1::Campaign c;
    c.set_phase(v1::CAMPAIGN_RUNNING);
    v1::Wave w;
    w.set_phase(v1::WAVE_LAUNCHED);
    EXPECT_EQ(plan::stance_of(c, w, std::nullopt), plan::stance::hold)
        << "there may be a deadline with the next version";
    c.set_deadline_us(before);
    EXPECT_EQ(plan::stance_of(c, w, std::nullopt), plan::stance::hold);
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    EXPECT_EQ(plan::stance_of(c, w, std::nullopt), plan::stance::cancel) << "no clock's word";
}

TEST(Pacing, NothingLeavesBeforeTheStart) {
    EXPECT_EQ(stance(v1::CAMPAIGN_RUNNING, v1::WAVE_LAUNCHED, 0, after), plan::stance::hold);
    EXPECT_EQ(stance(v1::CAMPAIGN_RUNNING, v1::WAVE_LAUNCHED, 0, before), plan::stance::send);
}

constexpr plan::pace thirty{.ahead = 30s, .least = 1'000, .window = 1'000, .ahead_put_back = 60s};

TEST(Pacing, ALaneFillsUpToItsWindowAndReopensAsItDrains) {
    plan::lane lane;
    EXPECT_EQ(lane.room(thirty, 1), 1'000);
    lane.released(1'200);
    EXPECT_LE(lane.room(thirty, 1), 0);
    lane.read({.queued = 1'200}, begun);
    EXPECT_LE(lane.room(thirty, 1), 0) << "nothing has been worked off yet";
    lane.read({.queued = 900, .done = 300}, begun + 30s);
    EXPECT_EQ(lane.room(thirty, 1), 100) << "10 a second for 30 s is less than what may always be queued";
}

TEST(Pacing, AFastLaneMayHoldThirtySecondsOfItsSpeed) {
    plan::lane lane;
    lane.read({.queued = 5'000}, begun);
    lane.read({.queued = 4'000, .done = 1'000}, begun + 1s);
    EXPECT_EQ(lane.room(thirty, 1), 30'000 - 4'000);
    lane.released(500);
    EXPECT_EQ(lane.room(thirty, 1), 30'000 - 4'500);
}

TEST(Pacing, OnlyALaneOfUnknownSpeedMayFillTheWindow) {
    constexpr plan::pace p{.ahead = 2s, .least = 500, .window = 20'000};
    plan::lane lane;
    EXPECT_EQ(lane.room(p, 1), 20'000);
    lane.read({.queued = 1'000}, begun);
    lane.read({.queued = 0, .done = 1'000}, begun + 1s);
    EXPECT_EQ(lane.room(p, 1), 2'000) << "the next campaign waits for two seconds, not for the window";
}

TEST(Pacing, WhatWasPutBackLeavesTheQueueItsRoom) {
    plan::lane lane;
    lane.read({.queued = 200, .put_back = 700}, begun);
    EXPECT_EQ(lane.room(thirty, 1), 300) << "a window of it at most: a gateway may put everything back";
    lane.read({.queued = 200, .put_back = 1'000}, begun + 1s);
    EXPECT_LE(lane.room(thirty, 1), 0);
    lane.read({.queued = 0, .put_back = 1'000, .done = 100}, begun + 2s);
    EXPECT_EQ(lane.room(thirty, 1), 3'000) << "100 a second: 3,000 may be queued and 6,000 put back";
    lane.read({.queued = 0, .put_back = 5'900, .done = 200}, begun + 3s);
    EXPECT_EQ(lane.room(thirty, 1), 100);
}

TEST(Pacing, AnIdleLaneKeepsTheSpeedItHad) {
    plan::lane lane;
    lane.read({.queued = 5'000}, begun);
    lane.read({.done = 5'000}, begun + 1s);
    lane.read({.done = 5'000}, begun + 100s);
    EXPECT_EQ(lane.room(thirty, 1), 150'000);
}

TEST(Pacing, AFastLaneIsKnownAsOneAlsoWhenItIsDoneBetweenTwoReadings) {
    plan::lane lane;
    lane.read({}, begun);
    lane.released(1'000);
    lane.read({.done = 1'000}, begun + 1s);
    EXPECT_EQ(lane.room(thirty, 1), 30'000);
    lane.released(10);
    lane.read({.done = 1'010}, begun + 2s);
    EXPECT_EQ(lane.room(thirty, 1), 30'000) << "ten messages in a second that has nothing else say nothing";
}

/// The queue is never longer than what a lane is thought to send, so a lane that is thought slow must show itself fast.
TEST(Pacing, ASlowLaneThatBecomesFastIsFoundOut) {
    constexpr plan::pace p{};
    plan::lane lane;
    double queued = 0;
    double done = 0;
    auto now = begun;
    const auto second_of = [&](double per_second) {
        const auto released = std::max(0.0, lane.room(p, 1));
        lane.released(released);
        const auto sent = std::min(per_second, queued + released);
        queued += released - sent;
        done += sent;
        lane.read({.queued = queued, .done = done}, now += 1s);
        return sent;
    };
    for (int i = 0; i < 30; ++i) {
        second_of(100);
    }
    int seconds = 1;
    while (second_of(40'000) < 40'000) {
        ASSERT_LT(++seconds, 30);
    }
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(second_of(40'000), 40'000) << "it must never idle";
    }
}

/// As on a real stack: readings come late, and what is under way counts as queued until its transaction has ended.
TEST(Pacing, ALaneThatIsThoughtSlowIsNotKeptSlow) {
    constexpr plan::pace p{};
    constexpr double able = 4'000;
    constexpr auto apart = 1'400ms;
    constexpr double under_way = 600;
    plan::lane lane;
    double queued = 0;
    double done = 0;
    auto now = begun;
    const auto one_reading = [&](double per_second) {
        const auto released = std::max(0.0, lane.room(p, 1));
        lane.released(released);
        queued += released;
        const auto sent = std::min(per_second * std::chrono::duration<double>(apart).count(), queued - under_way);
        queued -= sent;
        done += sent;
        lane.read({.queued = queued, .put_back = 50, .done = done}, now += apart);
        return sent;
    };
    for (int i = 0; i < 20; ++i) {
        one_reading(1'500);
    }
    for (int i = 0; i < 5; ++i) {
        one_reading(able);
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_NEAR(one_reading(able), able * 1.4, 1) << i;
    }
}

TEST(Pacing, WhatOnlyWaitsOutItsTierSaysNothingOfTheSpeed) {
    plan::lane lane;
    lane.read({.queued = 5'000}, begun);
    lane.read({.put_back = 50, .done = 4'950}, begun + 1s);
    for (int i = 2; i < 12; ++i) {
        lane.read({.put_back = 50, .done = 4'950}, begun + i * 1s);
    }
    EXPECT_EQ(lane.room(thirty, 1), 30 * 4'950) << "the next campaign finds it as fast as it was";
}

TEST(Pacing, ALaneThatStandsStillFallsBackToWhatMayAlwaysBeQueued) {
    plan::lane lane;
    lane.read({.queued = 5'000}, begun);
    lane.read({.queued = 4'000, .done = 1'000}, begun + 1s);
    for (int i = 2; i < 60; ++i) {
        lane.read({.queued = 4'000, .done = 1'000}, begun + i * 1s);
    }
    EXPECT_NEAR(lane.room(thirty, 1), 1'000 - 4'000, 1);
    lane.read({.queued = 4'000, .put_back = 200, .done = 800}, begun + 61s); // what went to `retry` comes back
    EXPECT_NEAR(lane.room(thirty, 1), 1'000 - 4'000, 1);
}

TEST(Pacing, SeveralProcessesTogetherStayWithinTheRoom) {
    double whole = 0;
    for (const auto part : {0.5, 0.25, 0.25}) {
        plan::lane lane; // each reads the same, and knows only its own releases since
        lane.read({.queued = 400}, begun);
        while (lane.room(thirty, part) > 0) {
            lane.released(1);
            whole += 1;
        }
    }
    EXPECT_NEAR(whole, 600, 3);
}

TEST(Pacing, AChannelWithoutRoomForHalfAMinuteIsWorthAWordOnceAndSoIsItsEnd) {
    using word = plan::no_room::word;
    plan::no_room mail;
    EXPECT_EQ(mail.look(true, begun), word::none);
    EXPECT_EQ(mail.look(true, begun + 29s), word::none);
    EXPECT_EQ(mail.look(true, begun + 30s), word::stands);
    EXPECT_EQ(mail.look(true, begun + 90s), word::none) << "it was said";
    EXPECT_EQ(mail.look(false, begun + 91s), word::goes_on);
    EXPECT_EQ(mail.look(true, begun + 92s), word::none);
    EXPECT_EQ(mail.look(false, begun + 93s), word::none) << "nothing had been said";
    EXPECT_EQ(mail.look(true, begun + 94s), word::none);
    EXPECT_EQ(mail.look(true, begun + 123s), word::none) << "it is counted anew";
    EXPECT_EQ(mail.look(true, begun + 124s), word::stands);
}

TEST(Pacing, ACampaignsRateIsABucketOfSomeSeconds) {
    plan::allowance a{10, {.ahead = 30s}, begun};
    EXPECT_EQ(a.left(begun), 300);
    a.spend(500);
    EXPECT_EQ(a.left(begun), -200);
    EXPECT_EQ(a.left(begun + 10s), -100);
    EXPECT_EQ(a.left(begun + 1h), 300) << "it never saves up more";
    EXPECT_EQ(a.left(begun), 300) << "a clock that steps back gives nothing and takes nothing";
}
