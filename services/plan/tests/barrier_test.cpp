#include <gtest/gtest.h>
#include <plan/core/barrier.hpp>

using namespace semel;
using plan::head;

namespace {

const plan::server here{"run-1", "repl-1"};

head made_on(const plan::server& s) {
    return {"m", to_string(s), {}};
}

void add_wave(v1::Campaign& c, std::uint32_t number, v1::WavePhase phase, std::int64_t end) {
    c.set_wrapped_key("there is one");
    auto& w = *c.add_waves();
    w.set_number(number);
    w.set_phase(phase);
    for (std::uint32_t p = 0; p < 2; ++p) {
        auto& span = *w.add_spans();
        span.set_partition(p);
        span.set_end_offset(end + p);
    }
}

} // namespace

TEST(Barrier, WithoutAHeadNothingIsBelieved) {
    EXPECT_FALSE(plan::usable(std::nullopt, here));
    EXPECT_FALSE(plan::usable(head::from_fields({}), here));
    EXPECT_FALSE(plan::usable(head::from_fields({{"1:0", "20"}}), here)) << "marks without a marker are not a head";
}

TEST(Barrier, AHeadIsBelievedOnlyOnTheServerItWasMadeOn) {
    EXPECT_TRUE(plan::usable(made_on(here), here));
    EXPECT_FALSE(plan::usable(made_on({"run-2", "repl-1"}), here)) << "restarted, perhaps from an old file";
    EXPECT_FALSE(plan::usable(made_on({"run-1", "repl-2"}), here)) << "another history of writes";
}

TEST(Barrier, AMarkCountsOnlyWithItsEnd) {
    const auto h = head::from_fields({{"marker", "m"}, {"server", to_string(here)}, {"1:0", "20"}});
    ASSERT_TRUE(h);
    EXPECT_TRUE(h->has({1, 0, 20}));
    EXPECT_FALSE(h->has({1, 0, 21}));
    EXPECT_FALSE(h->has({1, 1, 20}));
    EXPECT_FALSE(h->has({2, 0, 20}));
}

TEST(Barrier, AWaveNeedsItsOwnSpansAndThoseOfAllBeforeIt) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_LAUNCHED, 10);
    add_wave(c, 2, v1::WAVE_SEALED, 20);
    add_wave(c, 3, v1::WAVE_IMPORTED, 30);
    using marks = std::vector<plan::mark>;
    EXPECT_EQ(plan::required_for(c, 1), (marks{{1, 0, 10}, {1, 1, 11}}));
    EXPECT_EQ(plan::required_for(c, 2), (marks{{1, 0, 10}, {1, 1, 11}, {2, 0, 20}, {2, 1, 21}}));
    EXPECT_EQ(plan::to_register(c), *plan::required_for(c, 2));
}

TEST(Barrier, AWaveWaitsForAnEarlierOneThatIsNotSealed) {
    v1::Campaign c;
    add_wave(c, 2, v1::WAVE_LAUNCHED, 20);
    EXPECT_TRUE(plan::required_for(c, 2));
    add_wave(c, 1, v1::WAVE_IMPORTED, 10);
    EXPECT_FALSE(plan::required_for(c, 2));
}

TEST(Barrier, ADroppedWaveIsNeitherWaitedForNorRegistered) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_DROPPED, 10);
    add_wave(c, 2, v1::WAVE_LAUNCHED, 20);
    using marks = std::vector<plan::mark>;
    EXPECT_EQ(plan::required_for(c, 2), (marks{{2, 0, 20}, {2, 1, 21}}));
    EXPECT_EQ(plan::to_register(c), *plan::required_for(c, 2));
    EXPECT_TRUE(plan::earlier_waves(c, 2).empty());
    EXPECT_EQ(plan::earlier_waves(c, 3), std::vector<std::uint32_t>{2});
}

TEST(Barrier, AWaveBelowALaunchedOneIsNotRegisteredLate) {
    v1::Campaign c;
    add_wave(c, 2, v1::WAVE_LAUNCHED, 20);
    add_wave(c, 1, v1::WAVE_SEALED, 10);
    EXPECT_EQ(plan::launched_without(c, c.waves(1)), 2U);
    c.mutable_waves(1)->set_phase(v1::WAVE_LAUNCHED);
    EXPECT_EQ(plan::launched_without(c, c.waves(1)), 0U) << "registered long ago: its release goes on";
    add_wave(c, 3, v1::WAVE_SEALED, 30);
    EXPECT_EQ(plan::launched_without(c, c.waves(2)), 0U) << "a later wave is what launched ones are followed by";
}

TEST(Barrier, AWaveIsNotReleasedAfterAHigherOneThatWasDecidedWithoutIt) {
    using all = std::vector<plan::begun_wave>;
    EXPECT_EQ(plan::decided_without({}, 1), 0U);
    EXPECT_EQ(plan::decided_without(all{{2, {}}}, 1), 2U);
    EXPECT_EQ(plan::decided_without(all{{2, {1}}}, 1), 0U) << "in order, whichever partition begins first";
    EXPECT_EQ(plan::decided_without(all{{2, {1}}, {3, {2}}}, 1), 3U);
    EXPECT_EQ(plan::decided_without(all{{1, {}}, {2, {1}}}, 2), 0U) << "lower ones do not matter";
    EXPECT_EQ(plan::decided_without(all{{1, {}}, {2, {}}}, 1), 0U) << "an older version released both and said nothing";
}

TEST(Barrier, NobodyNeedsTheRegisterOfWhatIsOver) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_SEALED, 10);
    c.set_phase(v1::CAMPAIGN_FINISHED);
    EXPECT_EQ(plan::demand_of(c), plan::demand::over);
    EXPECT_TRUE(plan::to_register(c).empty());
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    EXPECT_EQ(plan::demand_of(c), plan::demand::over);
    EXPECT_TRUE(plan::to_register(c).empty());
    add_wave(c, 2, v1::WAVE_LAUNCHED, 20);
    EXPECT_EQ(plan::demand_of(c), plan::demand::winding);
    EXPECT_EQ(plan::to_register(c).size(), 4U) << "launched rows of a cancelled campaign must still be accounted for";
    c.clear_wrapped_key();
    EXPECT_EQ(plan::demand_of(c), plan::demand::over) << "its rows cannot be read any more";
}

TEST(Barrier, TheRegisterIsKeptWhileAWaveMayCome) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_LAUNCHED, 10);
    for (const auto phase :
         {v1::CAMPAIGN_DRAFT, v1::CAMPAIGN_SEALED, v1::CAMPAIGN_APPROVED, v1::CAMPAIGN_RUNNING, v1::CAMPAIGN_PAUSED}) {
        c.set_phase(phase);
        EXPECT_EQ(plan::demand_of(c), plan::demand::standing) << phase;
        EXPECT_EQ(plan::to_register(c).size(), 2U) << phase;
    }
}

TEST(Barrier, ACancelledCampaignIsAccountedForWhenEveryLaunchedRowIsDecided) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_LAUNCHED, 10);
    add_wave(c, 2, v1::WAVE_APPROVED, 20);
    using all = std::vector<plan::release_position>;
    EXPECT_FALSE(plan::all_accounted_for(c, {}));
    EXPECT_FALSE(plan::all_accounted_for(c, all{{1, 0, 10}}));
    EXPECT_FALSE(plan::all_accounted_for(c, all{{1, 0, 10}, {1, 1, 10}}));
    EXPECT_FALSE(plan::all_accounted_for(c, all{{1, 0, 10}, {2, 1, 11}}));
    EXPECT_TRUE(plan::all_accounted_for(c, all{{1, 0, 10}, {1, 1, 11}}));
    c.mutable_waves(0)->mutable_spans(1)->set_start_offset(11);
    EXPECT_TRUE(plan::all_accounted_for(c, all{{1, 0, 10}})) << "a span without a row has none to account for";
}

TEST(Barrier, TheAudienceIsNeededUntilNoWaveCanComeAndNoRowIsUndecided) {
    v1::Campaign c;
    add_wave(c, 1, v1::WAVE_LAUNCHED, 10);
    for (const auto phase : {v1::CAMPAIGN_DRAFT, v1::CAMPAIGN_RUNNING, v1::CAMPAIGN_PAUSED, v1::CAMPAIGN_FINISHED}) {
        c.set_phase(phase);
        EXPECT_TRUE(plan::needs_audience(c, true)) << phase << ": a wave that comes must know who was told";
    }
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    EXPECT_TRUE(plan::needs_audience(c, false));
    EXPECT_FALSE(plan::needs_audience(c, true));
    c.mutable_waves(0)->set_phase(v1::WAVE_SEALED);
    EXPECT_FALSE(plan::needs_audience(c, false)) << "cancelled before any launch";
    c.set_phase(v1::CAMPAIGN_FINISHED);
    c.clear_wrapped_key();
    EXPECT_FALSE(plan::needs_audience(c, true)) << "nobody can read it any more";
}
