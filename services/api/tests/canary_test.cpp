#include <api/core/canary.hpp>
#include <gtest/gtest.h>

#include <array>

namespace semel::api {
namespace {

const auto now = base::from_rfc3339("2026-11-24T00:00:00Z").value();

v1::Campaign running(std::uint32_t canary = 100) {
    v1::Campaign c;
    c.set_id("c-test");
    c.set_version(7);
    c.set_phase(v1::CAMPAIGN_RUNNING);
    c.mutable_canary()->set_rows(canary);
    auto& wave = *c.add_waves();
    wave.set_number(1);
    wave.set_phase(v1::WAVE_LAUNCHED);
    wave.set_rows(1'000);
    wave.set_rejected(5);
    return c;
}

v1::Campaign with_a_rule() {
    auto c = running(0);
    c.mutable_halt()->set_above_percent(5);
    c.mutable_halt()->set_least_outcomes(200);
    return c;
}

using outcomes = std::vector<channel_outcomes>;
outcomes email(std::int64_t accepted, std::int64_t failed) {
    return {{.channel = base::channel::email, .accepted = accepted, .failed = failed}};
}

TEST(Canary, WaitsOnceItsRowsAreReleased) {
    EXPECT_EQ(canary_of(running(0), {}).stage, canary_stage::none);
    EXPECT_EQ(canary_of(running(), {}).stage, canary_stage::going_out);
    auto draft = running();
    draft.mutable_waves(0)->set_phase(v1::WAVE_APPROVED);
    EXPECT_EQ(canary_of(draft, {}).stage, canary_stage::not_launched);
    const std::array some{wave_count{.wave = 1, .sealed = true, .released = 60}};
    EXPECT_EQ(canary_of(running(), some).stage, canary_stage::going_out);
    const std::array all{wave_count{.wave = 1, .sealed = true, .released = 93, .doubles = 2}};
    EXPECT_EQ(canary_of(running(), all).stage, canary_stage::waiting) << "five rows were refused, maybe of these";
    EXPECT_EQ(canary_of(running(), all).released, 95);
    EXPECT_EQ(canary_of(running(5), {}).stage, canary_stage::going_out) << "all of it may have been refused";
}

TEST(Canary, IsReleasedOnceByAnOperatorsWord) {
    EXPECT_TRUE(canary_holds(running()));
    const auto next = release(running());
    ASSERT_TRUE(next);
    EXPECT_FALSE(canary_holds(*next));
    EXPECT_EQ(next->version(), 8U);
    EXPECT_EQ(next->phase(), v1::CAMPAIGN_RUNNING);
    EXPECT_EQ(canary_of(*next, {}).stage, canary_stage::released);
    EXPECT_FALSE(release(*next)) << "already";
    EXPECT_FALSE(release(running(0))) << "there is none";
}

TEST(Canary, IsReleasedWhileItsCampaignRuns) {
    auto c = running();
    c.set_phase(v1::CAMPAIGN_PAUSED);
    EXPECT_EQ(release(c).value().phase(), v1::CAMPAIGN_PAUSED) << "and goes on when it is resumed";
    for (const auto other :
         {v1::CAMPAIGN_DRAFT, v1::CAMPAIGN_APPROVED, v1::CAMPAIGN_CANCELLED, v1::CAMPAIGN_FINISHED}) {
        c.set_phase(other);
        EXPECT_FALSE(release(c)) << to_string(other);
    }
}

TEST(Canary, WhatItHoldsIsNotForecast) {
    const std::array counts{wave_count{.wave = 1, .sealed = true, .released = 100}};
    EXPECT_EQ(count_released(running(), counts).held, 895);
    EXPECT_EQ(count_released(running(), counts).waiting, 0);
    const auto released = release(running()).value();
    EXPECT_EQ(count_released(released, counts).held, 0);
    EXPECT_EQ(count_released(released, counts).waiting, 895);
}

TEST(Halt, MoreFailuresThanItsRuleAllowsStopACampaign) {
    EXPECT_FALSE(why_to_halt(with_a_rule(), email(190, 10), now)) << "five in a hundred is not more than five";
    EXPECT_FALSE(why_to_halt(with_a_rule(), email(0, 199), now)) << "too few to judge by";
    EXPECT_EQ(why_to_halt(with_a_rule(), email(189, 11), now),
              "11 of 200 email messages failed (5.5 %, more than 5 %)");
    EXPECT_FALSE(why_to_halt(running(), email(0, 1'000), now)) << "without a rule it goes on";
}

TEST(Halt, EachChannelIsJudgedAlone) {
    auto both = email(100'000, 0);
    both.push_back({.channel = base::channel::sms, .accepted = 0, .failed = 200});
    EXPECT_EQ(why_to_halt(with_a_rule(), both, now), "200 of 200 sms messages failed (100.0 %, more than 5 %)");
}

TEST(Halt, OnlyWhatRunsBeforeItsDeadlineIsStopped) {
    auto c = with_a_rule();
    c.set_deadline_us(base::to_us(now));
    EXPECT_FALSE(why_to_halt(c, email(0, 1'000), now)) << "everything fails then: semel:expired";
    EXPECT_TRUE(why_to_halt(c, email(0, 1'000), now - std::chrono::seconds{1}));
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    EXPECT_FALSE(why_to_halt(c, email(0, 1'000), now - std::chrono::seconds{1}));
}

TEST(Halt, PausesAndSaysWhyUntilAnOperatorResumes) {
    const auto halted = halt(with_a_rule(), email(100, 100), "half failed", now).value();
    EXPECT_TRUE(is_halted(halted));
    EXPECT_EQ(halted.phase(), v1::CAMPAIGN_PAUSED);
    EXPECT_EQ(halted.halt().why(), "half failed");
    EXPECT_FALSE(halt(halted, email(100, 100), "again", now)) << "it is paused";
    const auto on = resume(halted).value();
    EXPECT_EQ(on.phase(), v1::CAMPAIGN_RUNNING);
    EXPECT_FALSE(is_halted(on));
    EXPECT_FALSE(is_halted(pause(on).value())) << "by hand";
}

TEST(Halt, AfterAHaltOnlyWhatComesThenIsJudged) {
    const auto on = resume(halt(with_a_rule(), email(100, 100), "half failed", now).value()).value();
    EXPECT_FALSE(why_to_halt(on, email(100, 100), now));
    EXPECT_FALSE(why_to_halt(on, email(200, 199), now)) << "199 are too few to judge by";
    EXPECT_TRUE(why_to_halt(on, email(200, 300), now));
    EXPECT_FALSE(why_to_halt(on, email(99, 101), now)) << "one that was accepted has bounced";
}

} // namespace
} // namespace semel::api
