// What a new owner may believe, case by case: the table of docs/exactly-once.md.

#include <delivery/core/inherited.hpp>

#include <gtest/gtest.h>

namespace semel::delivery {
namespace {

constexpr marker committed{1, 2, 3};
constexpr marker another{9};

former_head stood(const marker& m, bool same_server, bool vouched_for) {
    return {.marker = m, .same_server = same_server, .vouched_for = vouched_for};
}

TEST(Inherited, ClaimsCountOnlyUnderTheCommittedMarkerInARedisThatHasAllOfThem) {
    EXPECT_TRUE(claims_are_whole(stood(committed, true, false), committed));
    EXPECT_TRUE(claims_are_whole(stood(committed, false, true), committed)) << "its server ended in order";
    EXPECT_FALSE(claims_are_whole(std::nullopt, committed)) << "it forgot even the head";
    EXPECT_FALSE(claims_are_whole(stood(committed, false, false), committed)) << "it came back from an old file";
    EXPECT_FALSE(claims_are_whole(stood(another, true, false), committed)) << "a head whose marker was never committed";
    EXPECT_FALSE(claims_are_whole(stood(another, false, true), committed)) << "a note vouches once";
}

TEST(Inherited, WhatWasNeverClaimedIsSentWhereClaimsCount) {
    EXPECT_TRUE(std::holds_alternative<never_claimed>(inherit(std::nullopt, false)));
}

TEST(Inherited, AMissingClaimIsADoubtWhereClaimsWereLost) {
    const auto left = inherit(std::nullopt, true);
    const auto* doubt = std::get_if<left_in_doubt>(&left);
    ASSERT_NE(doubt, nullptr);
    EXPECT_EQ(doubt->how.what, settlement::kind::in_doubt);
    EXPECT_EQ(doubt->how.code, "semel:claims-lost");
    EXPECT_EQ(doubt->gateway, "") << "nobody knows";
    EXPECT_EQ(doubt->parts, 0U);
}

TEST(Inherited, AClaimWithoutAnOutcomeIsADoubtAndNamesItsGateway) {
    for (const bool lost : {false, true}) {
        const auto left = inherit(encode_claim(7, "smsc-a", 3), lost);
        const auto* doubt = std::get_if<left_in_doubt>(&left);
        ASSERT_NE(doubt, nullptr);
        EXPECT_EQ(doubt->how.code, "semel:owner-lost");
        EXPECT_EQ(doubt->gateway, "smsc-a");
        EXPECT_EQ(doubt->parts, 3U);
    }
}

TEST(Inherited, AnOutcomeIsTrueEvenOutOfAnOldFile) {
    const claim_outcome outcome{.what = verdict::kind::accepted,
                                .gateway = "smsc-a",
                                .code = "0",
                                .message_id = "id:7",
                                .content_sha256 = std::string(32, '\x01')};
    for (const bool lost : {false, true}) {
        const auto left = inherit(encode(outcome), lost);
        const auto* answered = std::get_if<answered_before>(&left);
        ASSERT_NE(answered, nullptr);
        EXPECT_EQ(answered->said.message_id, "id:7");
        EXPECT_EQ(answered->said.what, verdict::kind::accepted);
    }
}

TEST(Inherited, AClaimThatCannotBeReadIsADoubt) {
    EXPECT_TRUE(std::holds_alternative<left_in_doubt>(inherit("garbage", false)));
    EXPECT_TRUE(std::holds_alternative<left_in_doubt>(inherit("", false)));
}

} // namespace
} // namespace semel::delivery
