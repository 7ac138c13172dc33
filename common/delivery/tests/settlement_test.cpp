#include <delivery/core/settlement.hpp>
#include <wire/topics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace semel;
using namespace std::chrono_literals;
using delivery::settlement;
using delivery::verdict;

namespace {

const auto now = base::from_rfc3339("2026-11-24T00:00:00Z").value();

v1::Dispatch a_dispatch() {
    v1::Dispatch d;
    d.set_attempt(1);
    d.set_notification(std::string(32, 'n'));
    return d;
}

verdict a_verdict(verdict::kind what) {
    return {.what = what, .code = "code", .text = "text", .message_id = {}, .retry_after = {}};
}

} // namespace

TEST(Settlement, TheScheduleOfTransientFailuresIsTheTiers) {
    auto d = a_dispatch();
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 6; ++i) {
        const auto s = delivery::judge(a_verdict(verdict::kind::transient), d, now);
        ASSERT_EQ(s.what, settlement::kind::deferred);
        waits.push_back(wire::tiers[s.tier].wait);
        d = delivery::again(d, s, now);
    }
    EXPECT_EQ(waits, (std::vector<std::chrono::seconds>{10s, 60s, 600s, 3600s, 3600s, 3600s}));
    EXPECT_EQ(d.attempt(), 7U) << "each send has an attempt number of its own";
}

TEST(Settlement, APostponementIsNoAttempt) {
    const auto d = a_dispatch();
    const auto s = delivery::postponed(70s, "semel:rate");
    const auto next = delivery::again(d, s, now);
    EXPECT_EQ(next.attempt(), 1U);
    EXPECT_EQ(next.tries(), 0U);
    EXPECT_EQ(next.not_before_us(), base::to_us(now + 60s));
}

TEST(Settlement, AResendStaysOneThroughEveryRetry) {
    auto d = a_dispatch();
    d.set_resend(true);
    d.set_resends(1);
    const auto refused = delivery::judge(a_verdict(verdict::kind::transient), d, now);
    for (const auto& s : {refused, delivery::postponed(0s, "semel:rate")}) {
        EXPECT_TRUE(delivery::again(d, s, now).resend()) << "the copy before may still have arrived";
        EXPECT_EQ(delivery::again(d, s, now).resends(), 1U);
    }
}

TEST(Settlement, WhatWaitsForALaneAtItsLimitSaysSoAndOnlyThen) {
    auto s = delivery::postponed(0s, "semel:rate");
    s.waits_for = "apns-sandbox";
    const auto waiting = delivery::again(a_dispatch(), s, now);
    EXPECT_EQ(waiting.waits_for(), "apns-sandbox");
    EXPECT_EQ(delivery::again(waiting, delivery::postponed(0s, "semel:paused"), now).waits_for(), "")
        << "an old hint would leave it lying for a lane that it does not wait for";
}

TEST(Settlement, WhatWaitsForOneLaneDoesNotStandBeforeWhatWaitsForAnother) {
    for (std::int32_t partitions = 1; partitions <= 17; ++partitions) {
        for (std::size_t lanes = 1; lanes <= 5; ++lanes) {
            std::map<std::int32_t, std::set<std::size_t>> waiting;
            for (std::int32_t source = 0; source < partitions; ++source) {
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    const auto place = delivery::retry_partition(source, lane, lanes, partitions);
                    ASSERT_GE(place, 0);
                    ASSERT_LT(place, partitions);
                    waiting[place].insert(lane);
                }
            }
            if (partitions >= static_cast<std::int32_t>(lanes)) {
                EXPECT_THAT(waiting,
                            testing::Each(testing::Field(&decltype(waiting)::value_type::second, testing::SizeIs(1))))
                    << partitions << " partitions, " << lanes << " lanes";
                EXPECT_EQ(waiting.size(), static_cast<std::size_t>(partitions)) << "all of them are used";
            }
        }
    }
}

TEST(Settlement, WaitsAsLongAsTheGatewayAsks) {
    auto v = a_verdict(verdict::kind::throttled);
    v.retry_after = 15min;
    EXPECT_EQ(delivery::judge(v, a_dispatch(), now).tier, 2U);
}

TEST(Settlement, NoTryGoesBeyondTheDeadline) {
    auto d = a_dispatch();
    d.set_give_up_us(base::to_us(now + 5s));
    const auto s = delivery::judge(a_verdict(verdict::kind::transient), d, now);
    EXPECT_EQ(s.what, settlement::kind::failed);
    EXPECT_EQ(s.code, "semel:expired");
}

TEST(Settlement, WhatWaitsForAGatewayComesBackInTimeForATry) {
    auto d = a_dispatch();
    EXPECT_EQ(delivery::in_time(10min, d, now), 10min);
    d.set_give_up_us(base::to_us(now + 10min));
    EXPECT_EQ(delivery::in_time(10min, d, now), 5min);
    EXPECT_EQ(delivery::in_time(1min, d, now), 1min);
    EXPECT_EQ(delivery::in_time(10min, d, std::nullopt), 10min);
}

TEST(Settlement, AConfigurationErrorNeverFailsARecipient) {
    const auto s = delivery::judge(a_verdict(verdict::kind::lane_stop), a_dispatch(), now);
    EXPECT_EQ(s.what, settlement::kind::deferred);
    EXPECT_FALSE(s.counts);
    // It was sent and answered: under the old attempt its claim would look like somebody else's.
    EXPECT_EQ(delivery::again(a_dispatch(), s, now).attempt(), 2U);
    EXPECT_EQ(delivery::again(a_dispatch(), s, now).tries(), 0U);
}

TEST(Settlement, AnAmbiguousRefusalWaitsAndIsRemembered) {
    auto d = a_dispatch();
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 5; ++i) {
        const auto s = delivery::judge(a_verdict(verdict::kind::ambiguous), d, now);
        ASSERT_EQ(s.what, settlement::kind::deferred);
        waits.push_back(wire::tiers[s.tier].wait);
        d = delivery::again(d, s, now);
        EXPECT_TRUE(d.refused_before());
    }
    EXPECT_EQ(waits, (std::vector<std::chrono::seconds>{10s, 60s, 600s, 600s, 600s})) << "soon, once it is mended";
    const auto busy = delivery::again(a_dispatch(), delivery::postponed(0s, "semel:busy"), now);
    EXPECT_FALSE(busy.refused_before());
}

TEST(Settlement, SilenceAfterTheLastBytesIsDoubt) {
    EXPECT_EQ(delivery::judge(a_verdict(verdict::kind::unknown), a_dispatch(), now).what, settlement::kind::in_doubt);
}

TEST(Settlement, ACancelledCampaignFailsWhatIsNotSent) {
    EXPECT_EQ(delivery::turned_away(delivery::standing::cancelled, a_dispatch()).code, "semel:cancelled");
    EXPECT_EQ(delivery::turned_away(delivery::standing::paused, a_dispatch()).what, settlement::kind::deferred);
}

TEST(Settlement, APausedCampaignsMessageIsParkedAndSaysSince) {
    const auto s = delivery::turned_away(delivery::standing::paused, a_dispatch());
    EXPECT_TRUE(s.parked);
    auto parked = delivery::again(a_dispatch(), s, now);
    EXPECT_EQ(parked.parked_us(), base::to_us(now));
    EXPECT_EQ(parked.attempt(), 1U);
    EXPECT_EQ(delivery::wait_left(wire::parked(base::channel::sms), parked, now - 1h), 0s)
        << "resumed, it goes at once";
    parked = delivery::again(parked, delivery::postponed(0s, "semel:rate"), now);
    EXPECT_EQ(parked.parked_us(), 0) << "it is out of the park";
}

TEST(Settlement, WhileTheTimeIsNotCertainNothingExpiresAndNothingIsSent) {
    auto d = a_dispatch();
    d.set_give_up_us(base::to_us(now));
    using delivery::standing;
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_RUNNING, d, now + 1us), standing::expired);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_RUNNING, d, now), standing::wanted);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_RUNNING, d, std::nullopt), standing::unclear);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_PAUSED, d, std::nullopt), standing::paused);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_CANCELLED, d, std::nullopt), standing::cancelled) << "no clock's word";
    const auto later = a_verdict(verdict::kind::transient);
    EXPECT_EQ(delivery::judge(later, d, now + 1h).what, delivery::settlement::kind::failed);
    EXPECT_EQ(delivery::judge(later, d, std::nullopt).what, delivery::settlement::kind::deferred);
}

TEST(Settlement, ATestIsCancelledAndGivenUpButNotPaused) {
    auto d = a_dispatch();
    d.set_test(true);
    d.set_give_up_us(base::to_us(now));
    using delivery::standing;
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_CANCELLED, d, now), standing::cancelled);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_RUNNING, d, now + 1us), standing::expired);
    EXPECT_EQ(delivery::standing_of(v1::CAMPAIGN_PAUSED, d, now), standing::wanted);
}

TEST(Settlement, AStepOfTheClockMovesNoRetryBeyondItsTier) {
    const auto d = delivery::again(a_dispatch(), delivery::postponed(0s, "semel:rate"), now);
    const auto topic = wire::retry(base::channel::email, 0);
    EXPECT_EQ(delivery::wait_left(topic, d, now), 10s);
    EXPECT_EQ(delivery::wait_left(topic, d, now + 4s), 6s);
    EXPECT_EQ(delivery::wait_left(topic, d, now + 11s), 0s);
    EXPECT_EQ(delivery::wait_left(topic, d, now - 1h), 10s) << "the clock was set back";
    EXPECT_EQ(delivery::wait_left(wire::dispatch(base::channel::email), d, now), 0s) << "the first try never waits";
}
