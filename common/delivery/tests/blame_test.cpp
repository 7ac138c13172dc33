#include <delivery/core/blame.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

using namespace semel;
using namespace std::chrono_literals;
using delivery::blame;
using finding = blame::finding;

namespace {

const base::instant start{1h};

/// Refuses recipient `n` of `domain`.
finding refuse(blame& b, int n, std::string_view code = "554 5.7.1", std::string_view domain = {}, bool again = false,
               base::instant now = start) {
    const auto name = std::to_string(n);
    return b.refused({.notification = name, .campaign = "c-1", .domain = domain, .code = code, .again = again}, now);
}

} // namespace

TEST(Blame, OneRecipientRefusedForEverNeverStopsTheLane) {
    blame b;
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_NE(refuse(b, 1, "0x00000094", {}, i > 0), finding::lane) << i;
    }
}

TEST(Blame, TheSameAnswerToFiveDifferentRecipientsIsOurs) {
    blame b;
    for (int n = 0; n < 4; ++n) {
        EXPECT_EQ(refuse(b, n), finding::open) << n;
    }
    EXPECT_EQ(refuse(b, 3), finding::open) << "the same recipient once more is not another";
    EXPECT_EQ(refuse(b, 4), finding::lane);
    EXPECT_EQ(refuse(b, 5), finding::lane);
    ASSERT_TRUE(b.suspected(start));
    EXPECT_EQ(b.suspected(start)->recipients, 6U);
    EXPECT_EQ(refuse(b, 0, "554 5.7.1", {}, true), finding::open) << "no news, and while it lasts nobody fails for it";
}

TEST(Blame, DifferentAnswersAreNotOneVerdict) {
    blame b;
    for (int n = 0; n < 8; ++n) {
        EXPECT_EQ(refuse(b, n, n % 2 == 0 ? "501" : "554"), finding::open) << n;
    }
}

TEST(Blame, OneAcceptanceClearsTheLane) {
    blame b;
    for (int n = 0; n < 5; ++n) {
        refuse(b, n);
    }
    b.accepted("c-1", {}, start);
    EXPECT_FALSE(b.suspected(start));
    EXPECT_EQ(refuse(b, 100), finding::open);
}

TEST(Blame, TheSecondRefusalWhileOthersAreAcceptedIsTheRecipients) {
    blame b;
    EXPECT_EQ(refuse(b, 1), finding::open);
    b.accepted("c-1", {}, start + 1s);
    EXPECT_EQ(refuse(b, 1, "554 5.7.1", {}, true, start + 10s), finding::recipient);
    EXPECT_EQ(refuse(b, 2, "501", {}, true, start + 10s), finding::recipient) << "whatever it was refused with before";
}

TEST(Blame, OfThreeMessagesTheLastOneIsJudgedByThoseBeforeIt) {
    blame b;
    b.accepted("c-1", {}, start);
    b.accepted("c-1", {}, start);
    EXPECT_EQ(refuse(b, 3), finding::open);
    EXPECT_EQ(refuse(b, 3, "554 5.7.1", {}, true, start + 10s), finding::recipient);
}

TEST(Blame, WhereNothingWasAcceptedForAnHourNobodyFails) {
    blame b;
    b.accepted("c-1", {}, start);
    for (int n = 0; n < 3; ++n) {
        refuse(b, n, "554 5.7.1", {}, false, start + 2h);
        EXPECT_EQ(refuse(b, n, "554 5.7.1", {}, true, start + 2h + 10s), finding::open);
    }
    b.accepted("c-1", {}, start + 3h);
    EXPECT_EQ(refuse(b, 0, "554 5.7.1", {}, true, start + 3h), finding::recipient);
}

TEST(Blame, ADomainThatRefusesEverybodyStopsNoOtherAndFailsNobody) {
    blame b;
    b.accepted("c-1", "good.example", start);
    for (int n = 0; n < 300; ++n) {
        EXPECT_EQ(refuse(b, n, "550 5.7.26", "bad.example"), finding::open) << n;
    }
    b.accepted("c-1", "good.example", start + 5s);
    EXPECT_EQ(refuse(b, 1, "550 5.7.26", "bad.example", true, start + 10s), finding::open)
        << "the domain's fault, or ours";
    for (int n = 0; n < 60; ++n) {
        b.accepted("c-1", "bad.example", start + 20s);
    }
    EXPECT_EQ(refuse(b, 1, "550 5.7.26", "bad.example", true, start + 30s), finding::recipient);
}

TEST(Blame, SeveralDomainsWithTheSameAnswerAreOurs) {
    blame b;
    for (int n = 0; n < 4; ++n) {
        EXPECT_EQ(refuse(b, n, "550 5.7.1", "a.example"), finding::open);
    }
    EXPECT_EQ(refuse(b, 4, "550 5.7.1", "b.example"), finding::lane);
}

TEST(Blame, AnAudienceOfOneDomainStopsTheLaneOnlyWhereNothingIsAccepted) {
    blame b;
    for (int n = 0; n < 99; ++n) {
        ASSERT_EQ(refuse(b, n, "554 5.7.1", "corp.example"), finding::open) << n;
    }
    EXPECT_EQ(refuse(b, 99, "554 5.7.1", "corp.example"), finding::lane);
}

TEST(Blame, ALargeShareOfTheSameAnswerFailsNobody) {
    blame b;
    for (int n = 0; n < 50; ++n) { // one of two ways to the centre is closed to us
        b.accepted("c-1", {}, start);
        refuse(b, n, "0x00000400");
    }
    EXPECT_EQ(refuse(b, 1, "0x00000400", {}, true, start + 10s), finding::open);
}

TEST(Blame, OneCampaignsSenderIsNotItsRecipientsFaultWhileAnotherGoesOn) {
    blame b;
    for (int n = 0; n < 40; ++n) {
        const auto name = std::to_string(n);
        for (int other = 0; other < 2; ++other) {
            b.accepted("c-2", {}, start);
        }
        b.refused({.notification = name, .campaign = "c-1", .domain = {}, .code = "0x0000000A"}, start);
    }
    const blame::refusal again{
        .notification = "1", .campaign = "c-1", .domain = {}, .code = "0x0000000A", .again = true};
    EXPECT_EQ(b.refused(again, start + 10s), finding::open);
    b.accepted("c-1", {}, start + 11s);
    EXPECT_EQ(b.refused(again, start + 20s), finding::recipient);
}

TEST(Blame, WhatWeFindOurselvesIsNobodysFault) {
    blame b;
    b.accepted("c-1", {}, start);
    const blame::refusal too_big{
        .notification = "1", .campaign = "c-1", .domain = {}, .code = "semel:size", .again = true, .by_us = true};
    EXPECT_EQ(b.refused(too_big, start), finding::open);
}

TEST(Blame, WhateverComesNobodyIsBlamedWithoutProof) {
    // However refusals and acceptances interleave: no recipient fails at its first refusal or without an acceptance
    // within the hour, and no lane is stopped by fewer than five recipients since the last acceptance.
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 draw{seed};
        blame b;
        std::set<int> since_accepted;
        std::optional<base::instant> accepted;
        auto now = start;
        for (int step = 0; step < 400; ++step) {
            now += std::chrono::seconds{draw() % 300};
            if (draw() % 4 == 0) {
                b.accepted("c-1", draw() % 2 == 0 ? "a.example" : "b.example", now);
                accepted = now;
                since_accepted.clear();
                continue;
            }
            const auto n = static_cast<int>(draw() % 12);
            const bool again = draw() % 3 == 0;
            if (!again) {
                since_accepted.insert(n);
            }
            const auto found =
                refuse(b, n, draw() % 3 == 0 ? "501" : "554", draw() % 2 == 0 ? "a.example" : "b.example", again, now);
            if (found == finding::recipient) {
                ASSERT_TRUE(again && accepted && now - *accepted <= 1h) << seed << ":" << step;
            }
            if (found == finding::lane) {
                ASSERT_GE(since_accepted.size(), 5U) << seed << ":" << step;
            }
        }
    }
}
