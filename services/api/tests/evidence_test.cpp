#include <api/core/evidence.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr base::timestamp ten = base::from_us(1'795'514'400'000'000); // 2026-11-24T10:00:00Z

doubt sms(std::optional<receipt_search> search) {
    return {.channel = "sms",
            .state = "waiting",
            .since = ten,
            .code = "semel:timeout",
            .text = "no submit_sm_resp in time",
            .decided_code = {},
            .decided_text = {},
            .decided_by = {},
            .search = search};
}

v1::Campaign campaign(v1::DoubtPolicy policy, v1::CampaignPhase phase = v1::CAMPAIGN_RUNNING) {
    v1::Campaign c;
    c.set_in_doubt(policy);
    c.set_in_doubt_after_s(1'800);
    c.set_phase(phase);
    return c;
}

TEST(Evidence, ForSmsSaysWhichReceiptsWereLookedForAndWhyTheyDoNotSettle) {
    const auto receipt = [](receipt_search s) { return evidence_of(sms(s)).at(1); };
    EXPECT_THAT(evidence_of(sms(receipt_search{.comparable = true})),
                ElementsAre("answer to the last bytes: none, no submit_sm_resp in time (semel:timeout)",
                            "receipt by number and message reference: none yet"));
    EXPECT_THAT(receipt({.comparable = true, .fitting = 1, .candidates = 2}),
                HasSubstr("1 came, but 2 open candidates fit it, so it settles none"));
    EXPECT_THAT(receipt({.comparable = true, .fitting = 1, .candidates = 1}), HasSubstr("fits this message alone"));
    EXPECT_THAT(receipt({.comparable = true, .others = 3}), HasSubstr("3 to this number about another message"));
    EXPECT_THAT(receipt({.comparable = false}), HasSubstr("cannot be looked for"));
    EXPECT_THAT(evidence_of(sms(std::nullopt)).at(1), HasSubstr("not looked for now"));
}

TEST(Evidence, ForEmailAndPushDoesNotPromiseWhatNobodyLooksFor) {
    auto d = sms(std::nullopt);
    d.channel = "email";
    d.code = "semel:lost";
    d.text = "after the final dot: connection reset";
    EXPECT_THAT(evidence_of(d),
                ElementsAre("answer to the last bytes: none, after the final dot: connection reset (semel:lost)",
                            "bounces and delivery reports: not read in this version"));
    d.channel = "push";
    d.code = "InternalServerError";
    d.text = {};
    EXPECT_THAT(evidence_of(d), ElementsAre("answer to the last bytes: InternalServerError, which does not say whether "
                                            "it was accepted",
                                            "look-up and receipts: providers have none"));
}

TEST(Evidence, TellsOfReceiptsThatProveNothingAndOfAnEarlierResend) {
    auto d = sms(receipt_search{.comparable = true});
    EXPECT_THAT(evidence_of(d), Not(Contains(HasSubstr("at least once"))));
    d.unknown_receipts = 2;
    d.resends = 1;
    EXPECT_THAT(evidence_of(d), AllOf(Contains("receipts that say \"unknown\": 2, which proves nothing"),
                                      Contains("it was sent again before: at least once, not exactly once")));
}

TEST(Evidence, SaysWhenThePolicyDecidesAndWhat) {
    auto d = sms(std::nullopt);
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_RESEND)), "sent again at 2026-11-24T10:30:00Z");
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_HOLD)), "unresolved at 2026-11-24T10:30:00Z: the policy is hold");
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_RESEND, v1::CAMPAIGN_CANCELLED)),
              "unresolved at 2026-11-24T10:30:00Z: the campaign is cancelled");
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_PRESUME_SENT)), "presumed sent at 2026-11-24T10:30:00Z");
    d.resends = 1;
    EXPECT_THAT(decision_of(d, campaign(v1::DOUBT_RESEND)), HasSubstr("unresolved at 2026-11-24T10:30:00Z"));
    auto patient = campaign(v1::DOUBT_RESEND);
    patient.set_resends(2);
    EXPECT_EQ(decision_of(d, patient), "sent again at 2026-11-24T10:30:00Z");
    d.resends = 0;
    d.channel = "push";
    EXPECT_THAT(decision_of(d, campaign(v1::DOUBT_RESEND)), HasSubstr("same collapse id"));
}

TEST(Evidence, SaysWhoDecided) {
    auto d = sms(std::nullopt);
    d.state = "unresolved";
    d.decided_code = "semel:hold";
    d.decided_text = "the policy is hold, and its time is up";
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_HOLD)),
              "an approver decides: the policy is hold, and its time is up (semel:hold)");
    d.state = "presumed_sent";
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_HOLD)), "presumed sent by the campaign's policy, without evidence");
    d.decided_by = "alice";
    EXPECT_EQ(decision_of(d, campaign(v1::DOUBT_HOLD)), "presumed sent by alice, without evidence");
}

} // namespace
} // namespace semel::api
