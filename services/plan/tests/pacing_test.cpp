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

TEST(Pacing, ALaneFillsUpToItsWindowAndReopensAsItDrains) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    plan::lane lane;
    EXPECT_EQ(lane.room(p, 1), 1'000);
    lane.released(1'200);
    EXPECT_LE(lane.room(p, 1), 0);
    lane.read(1'200, 0, begun);
    EXPECT_LE(lane.room(p, 1), 0) << "nothing has been worked off yet";
    lane.read(900, 300, begun + 30s);
    EXPECT_EQ(lane.room(p, 1), 100) << "10 a second for 30 s is less than the window";
}

TEST(Pacing, AFastLaneMayHoldThirtySecondsOfItsSpeed) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    plan::lane lane;
    lane.read(5'000, 0, begun);
    lane.read(4'000, 1'000, begun + 1s);
    EXPECT_EQ(lane.room(p, 1), 30'000 - 4'000);
    lane.released(500);
    EXPECT_EQ(lane.room(p, 1), 30'000 - 4'500);
}

TEST(Pacing, AnIdleLaneKeepsTheSpeedItHad) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    plan::lane lane;
    lane.read(5'000, 0, begun);
    lane.read(0, 5'000, begun + 1s);
    lane.read(0, 5'000, begun + 100s);
    EXPECT_EQ(lane.room(p, 1), 150'000);
}

TEST(Pacing, AFastLaneIsKnownAsOneAlsoWhenItIsDoneBetweenTwoReadings) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    plan::lane lane;
    lane.read(0, 0, begun);
    lane.released(1'000);
    lane.read(0, 1'000, begun + 1s);
    EXPECT_EQ(lane.room(p, 1), 30'000);
    lane.released(10);
    lane.read(0, 1'010, begun + 2s);
    EXPECT_EQ(lane.room(p, 1), 30'000) << "ten messages in a second that has nothing else say nothing";
}

TEST(Pacing, ALaneThatStandsStillFallsBackToItsWindow) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    plan::lane lane;
    lane.read(5'000, 0, begun);
    lane.read(4'000, 1'000, begun + 1s);
    for (int i = 2; i < 60; ++i) {
        lane.read(4'000, 1'000, begun + i * 1s);
    }
    EXPECT_NEAR(lane.room(p, 1), 1'000 - 4'000, 1);
    lane.read(4'200, 800, begun + 61s); // what went to `retry` comes back
    EXPECT_NEAR(lane.room(p, 1), 1'000 - 4'200, 1);
}

TEST(Pacing, SeveralProcessesTogetherStayWithinTheRoom) {
    const plan::pace p{.ahead = 30s, .window = 1'000};
    double whole = 0;
    for (const auto part : {0.5, 0.25, 0.25}) {
        plan::lane lane; // each reads the same, and knows only its own releases since
        lane.read(400, 0, begun);
        while (lane.room(p, part) > 0) {
            lane.released(1);
            whole += 1;
        }
    }
    EXPECT_NEAR(whole, 600, 3);
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
