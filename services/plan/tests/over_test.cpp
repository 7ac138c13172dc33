// What becomes of the register in Redis when a campaign is over, and when it is not over after all.

#include "stage.hpp"

namespace semel::plan::testing {
namespace {

void wait_until_removed(const stage& s) {
    stage::wait_until([&] { return s.keys() == 0; }, "the register to be removed");
}

TEST(Over, TheRegisterOfAFinishedCampaignIsRemoved) {
    stage s{an_audience(rows_of_a_wave, 21)};
    s.start("plan");
    s.start("plan-2");
    s.launch();
    s.expect_the_truth();
    EXPECT_GT(s.keys(), 100);
    s.set(v1::CAMPAIGN_PAUSED);
    wait_until_registered(s);
    EXPECT_GT(s.keys(), 100) << "all is released, but a wave may still come";
    s.set(v1::CAMPAIGN_FINISHED);
    wait_until_removed(s);
    s.expect_the_truth();
}

TEST(Over, TheRegisterOfACancelledCampaignIsRemovedWhenItsRowsAreAccountedFor) {
    stage s{an_audience(rows_of_a_wave, 22)};
    s.start("plan");
    s.start("plan-2");
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    s.kill("plan-2"); // its partitions stay undecided until it is back
    s.set(v1::CAMPAIGN_CANCELLED);
    s.start("plan-2");
    stage::wait_until([&] { return s.rows_told() >= s.rows().size(); }, "every row to be accounted for");
    wait_until_removed(s);
    EXPECT_EQ(s.rows_told(), s.rows().size());
}

TEST(Over, ACampaignThatIsCancelledBeforeItsLaunchLeavesNothing) {
    stage s{an_audience(200, 23)};
    s.start();
    wait_until_registered(s);
    s.set(v1::CAMPAIGN_CANCELLED);
    wait_until_removed(s);
}

// The campaign was finished and its register is gone; then somebody finds more people. Those who are in both waves have
// been told.
TEST(Over, AWaveThatComesAfterTheRegisterWasRemovedTellsNobodyTwice) {
    stage s{an_audience(rows_of_a_wave, 24)};
    s.withhold(2);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows_of(1).size(); }, "the first wave to be told");
    s.set(v1::CAMPAIGN_FINISHED);
    wait_until_removed(s);
    s.bring_back(v1::WAVE_IMPORTED);
    s.set(v1::CAMPAIGN_RUNNING);
    s.set_phase(2, v1::WAVE_SEALED);
    wait_until_registered(s);
    s.launch();
    s.expect_the_truth();
    s.set(v1::CAMPAIGN_FINISHED);
    wait_until_removed(s);
}

// The wave comes while the register goes: finished and running again in quick turns, with plan killed in the middle,
// two processes that see each version when they see it, and Redis lost once.
TEST(Over, AWaveThatComesWhileTheRegisterIsBeingRemovedTellsNobodyTwice) {
    stage s{an_audience(3 * rows_of_a_wave, 25)};
    s.withhold(2);
    s.start("plan");
    s.start("plan-2");
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows_of(1).size(); }, "the first wave to be told");
    const auto whole = s.keys();
    for (int turn = 0; turn < 4; ++turn) {
        s.set(v1::CAMPAIGN_FINISHED);
        stage::wait_until([&] { return s.keys() < whole; }, "the removal to begin");
        const auto dies = turn % 2 == 0 ? "plan" : "plan-2";
        s.kill(dies);
        s.set(v1::CAMPAIGN_RUNNING);
        s.start(dies);
        if (turn == 2) {
            s.redis.tell("FLUSHALL");
        }
        wait_until_registered(s);
    }
    s.set(v1::CAMPAIGN_FINISHED);
    s.bring_back(v1::WAVE_SEALED);
    s.launch();
    s.expect_the_truth();
}

/// What is deleted while it is read is not gone yet, and no fault.
bool is_empty(const stage& s, std::string_view topic) {
    try {
        return s.records(topic).empty();
    } catch (const std::runtime_error&) {
        return false;
    }
}

TEST(Over, TheAudienceOfACancelledCampaignIsDeletedWhenItsRowsAreAccountedFor) {
    stage s{an_audience(rows_of_a_wave, 26)};
    s.audience_kept_afterwards = 0;
    s.start();
    s.launch();
    s.expect_the_truth();
    const auto whole = s.records(wire::audience).size();
    EXPECT_GT(whole, 0U);
    s.set(v1::CAMPAIGN_FINISHED);
    wait_until_removed(s);
    EXPECT_EQ(s.records(wire::audience).size(), whole) << "a wave may still come";
    s.set(v1::CAMPAIGN_CANCELLED);
    stage::wait_until([&] { return is_empty(s, wire::audience); }, "the audience to be deleted");
}

} // namespace
} // namespace semel::plan::testing
