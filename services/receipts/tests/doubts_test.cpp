#include "doubt_world.hpp"

#include <random>

namespace semel::receipts {
namespace {

TEST(Doubts, AnAnswerOnTheLiveConnectionSettlesWhatWasAwaited) {
    for (const auto& answer : {event(v1::EVENT_ACCEPTED), failed_by_gateway(1)}) {
        world w;
        w.hear(event(v1::EVENT_AWAITING));
        ASSERT_TRUE(w.open());
        EXPECT_TRUE(w.hear(answer).empty());
        EXPECT_FALSE(w.open());
        EXPECT_TRUE(w.wait(24h).empty());
    }
}

TEST(Doubts, WhatIsAwaitedIsNotDecidedWhileItsConnectionMayLive) {
    world w;
    w.says.after = 1s;
    w.hear(event(v1::EVENT_AWAITING));
    EXPECT_TRUE(w.wait(10min).empty()); // SMTP waits so long for the answer to the dot
    const auto said = w.wait(5min);
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[0].kind(), v1::EVENT_IN_DOUBT);
    EXPECT_EQ(said[0].id(), event(v1::EVENT_IN_DOUBT).id()); // as the dispatcher would have said it
    EXPECT_EQ(said[1].kind(), v1::EVENT_RESENT);
}

TEST(Doubts, PolicyResendSendsTheNextAttemptThroughTheSameGatewayOnce) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    EXPECT_TRUE(w.wait(30min - 1us).empty());
    ASSERT_TRUE(says_only(w.wait(1us), v1::EVENT_RESENT));
    ASSERT_EQ(w.resent.size(), 1U);
    EXPECT_EQ(w.resent[0].dispatch.notification(), message);
    EXPECT_EQ(w.resent[0].dispatch.attempt(), 2U);
    EXPECT_EQ(w.resent[0].dispatch.pinned_gateway(), "smsc-a");
    EXPECT_EQ(w.resent[0].dispatch.not_before_us(), base::to_us(w.now + 10s)); // the wait of its tier
    EXPECT_EQ(w.resent[0].tier, 0U);
    EXPECT_EQ(w.told.back().attempt(), 2U);
    EXPECT_EQ(w.told.back().row(), 7U);

    EXPECT_TRUE(w.wait(24h).empty());
    EXPECT_TRUE(w.hear(event(v1::EVENT_IN_DOUBT)).empty()); // told again by a process that lost its partition
    EXPECT_TRUE(w.wait(24h).empty());
    w.hear(event(v1::EVENT_RESENT, 2));
    w.hear(event(v1::EVENT_ACCEPTED, 2));
    EXPECT_FALSE(w.open());
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.hear(event(v1::EVENT_AWAITING, 2));
    EXPECT_FALSE(w.open());
    EXPECT_EQ(w.resent.size(), 1U);
}

TEST(Doubts, AResendIsToldAsAtLeastOnceAndAPushAsCollapsing) {
    for (const auto channel : {v1::CHANNEL_SMS, v1::CHANNEL_PUSH}) {
        world w;
        auto e = event(v1::EVENT_IN_DOUBT);
        auto d = dispatch();
        d.set_channel(channel);
        e.set_dispatch(d.SerializeAsString());
        w.hear(e);
        ASSERT_TRUE(says_only(w.wait(30min), v1::EVENT_RESENT));
        const auto& text = w.told.back().text();
        EXPECT_NE(text.find("at least once, not exactly once"), std::string::npos) << text;
        EXPECT_EQ(text.find("collapse") != std::string::npos, channel == v1::CHANNEL_PUSH) << text;
    }
}

TEST(Doubts, AResendThatIsInDoubtItselfIsResentAsTheNextAttempt) {
    world w;
    w.says.resends = 2;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    w.hear(event(v1::EVENT_IN_DOUBT, 2, w.now));
    EXPECT_TRUE(w.wait(29min).empty());
    EXPECT_TRUE(says_only(w.wait(1min), v1::EVENT_RESENT));
    EXPECT_EQ(w.resent.back().dispatch.attempt(), 3U);
}

TEST(Doubts, TheSameAttemptToldInAnyOrderIsInDoubtSinceItsFirstEvent) {
    const auto sent = event(v1::EVENT_AWAITING);
    const auto lost = event(v1::EVENT_IN_DOUBT, 1, noon + 10min);
    for (const auto& order : {std::vector{sent, lost}, std::vector{lost, sent}}) {
        world w;
        for (const auto& e : order) {
            w.hear(e);
        }
        EXPECT_TRUE(w.wait(30min - 1us).empty());
        EXPECT_TRUE(says_only(w.wait(1us), v1::EVENT_RESENT)); // and not "in doubt" again
    }
}

TEST(Doubts, ADispatchersClockDecidesNothing) {
    for (const auto kind : {v1::EVENT_AWAITING, v1::EVENT_IN_DOUBT}) {
        for (const auto step : {-1h, 1h}) {
            world w;
            w.hear(event(kind, 1, noon + step), noon);
            EXPECT_EQ(w.all.find(id)->since_us(), base::to_us(noon));
            EXPECT_EQ(w.wait(30min - 1us).size(), kind == v1::EVENT_AWAITING ? 1U : 0U); // awaited for too long
            EXPECT_TRUE(says_only(w.wait(1us), v1::EVENT_RESENT));
        }
    }
}

TEST(Doubts, WhatWasToldWhileNobodyHeardIsInDoubtSinceThen) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT), noon - 20min);
    EXPECT_TRUE(w.wait(10min - 1us).empty());
    EXPECT_TRUE(says_only(w.wait(1us), v1::EVENT_RESENT));
}

TEST(Doubts, WhatABrokerAheadOfUsDatesIsInDoubtSinceItWasHeardOf) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT), noon + 1h);
    EXPECT_EQ(w.all.find(id)->since_us(), base::to_us(noon));
}

TEST(Doubts, WordOfAnOlderAttemptDoesNotReplaceTheLatest) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT, 2));
    w.hear(event(v1::EVENT_IN_DOUBT, 1));
    EXPECT_EQ(w.all.find(id)->attempt(), 2U);
    w.wait(30min);
    EXPECT_EQ(w.resent.at(0).dispatch.attempt(), 3U);
}

TEST(Doubts, ALateAcceptanceSupersedesTheResend) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_TRUE(w.resent.at(0).dispatch.resend()) << "a dispatcher asks whether it is still needed";
    const auto d = w.all.observe(event(v1::EVENT_ACCEPTED, 1), {}, w.policies(), {.told = w.now, .now = w.now});
    EXPECT_EQ(d.superseded, base::from_bytes<base::notification_id>(event(v1::EVENT_ACCEPTED, 1).notification()));
    EXPECT_FALSE(w.open());
}

TEST(Doubts, TheResendsOwnAcceptanceSupersedesNothing) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_FALSE(
        w.all.observe(event(v1::EVENT_ACCEPTED, 2), {}, w.policies(), {.told = w.now, .now = w.now}).superseded);
}

TEST(Doubts, ALateAnswerSettlesWhatThePolicyHasDecidedWithoutIt) {
    for (const auto in_doubt : {v1::DOUBT_HOLD, v1::DOUBT_PRESUME_SENT}) {
        world w;
        w.says.in_doubt = in_doubt;
        w.hear(event(v1::EVENT_IN_DOUBT));
        ASSERT_EQ(w.wait(30min).size(), 1U);
        ASSERT_TRUE(w.open());
        EXPECT_TRUE(w.hear(event(v1::EVENT_ACCEPTED)).empty());
        EXPECT_FALSE(w.open());
        EXPECT_TRUE(w.hear(resolved("resend", 1)).empty()) << "too late: it was accepted";
        EXPECT_TRUE(w.resent.empty());
    }
}

TEST(Doubts, PolicyHoldNeverSendsAndALateReceiptStillSettles) {
    world w;
    w.says.in_doubt = v1::DOUBT_HOLD;
    w.hear(event(v1::EVENT_IN_DOUBT));
    EXPECT_TRUE(says_only(w.wait(30min), v1::EVENT_UNRESOLVED));
    EXPECT_TRUE(w.wait(24h * 365).empty());
    EXPECT_TRUE(w.resent.empty());
    EXPECT_TRUE(says_only(w.hear(receipt(v1::RECEIPT_DELIVERED)), v1::EVENT_ACCEPTED));
    EXPECT_EQ(w.told.back().code(), "semel:receipt");
    EXPECT_EQ(w.told.back().gateway_message_id(), "m-1"); // the next receipt is found by it
    EXPECT_FALSE(w.open());
}

TEST(Doubts, WhatIsPresumedSentStaysOpenToEvidenceForAWhile) {
    world w;
    w.says.in_doubt = v1::DOUBT_PRESUME_SENT;
    w.hear(event(v1::EVENT_IN_DOUBT));
    EXPECT_TRUE(says_only(w.wait(30min), v1::EVENT_PRESUMED_SENT));
    EXPECT_TRUE(w.wait(24h).empty());
    EXPECT_TRUE(w.open());
    EXPECT_TRUE(w.wait(24h * 30).empty());
    EXPECT_FALSE(w.open()); // memory is bounded
}

TEST(Doubts, AnSmsOfSeveralPartsIsProvenByAReceiptForEach) {
    world w;
    auto doubt = event(v1::EVENT_IN_DOUBT);
    doubt.set_parts(3);
    w.hear(doubt);
    EXPECT_TRUE(w.hear(receipt_of("m-1")).empty());
    EXPECT_TRUE(w.hear(receipt_of("m-1")).empty()) << "the same part again";
    EXPECT_TRUE(w.hear(receipt_of("m-2")).empty());
    EXPECT_TRUE(says_only(w.hear(receipt_of("m-3")), v1::EVENT_ACCEPTED));
    EXPECT_FALSE(w.open());
}

TEST(Doubts, NoReceiptProvesAnSmsOfWhichNobodyKnowsHowManyPartsItHas) {
    world w;
    auto doubt = event(v1::EVENT_IN_DOUBT);
    doubt.set_parts(0); // the claims were lost
    w.hear(doubt);
    EXPECT_TRUE(w.hear(receipt_of("m-1")).empty());
    EXPECT_TRUE(w.hear(receipt_of("m-2")).empty());
    EXPECT_TRUE(w.open());
    w.hear(event(v1::EVENT_IN_DOUBT)); // told by the process that sent it, and knows
    EXPECT_TRUE(says_only(w.hear(receipt_of("m-1")), v1::EVENT_ACCEPTED));
}

TEST(Doubts, OnlyPositiveEvidenceSettles) {
    for (const auto state : {v1::RECEIPT_UNKNOWN, v1::RECEIPT_UNSPECIFIED}) {
        world w;
        w.hear(event(v1::EVENT_IN_DOUBT));
        EXPECT_TRUE(w.hear(receipt(state)).empty());
        EXPECT_TRUE(w.open());
    }
    for (const auto state : {v1::RECEIPT_DELIVERED, v1::RECEIPT_BOUNCED, v1::RECEIPT_READ, v1::RECEIPT_COMPLAINED,
                             v1::RECEIPT_INTERMEDIATE}) {
        world w;
        w.hear(event(v1::EVENT_IN_DOUBT));
        EXPECT_TRUE(says_only(w.hear(receipt(state)), v1::EVENT_ACCEPTED));
        EXPECT_FALSE(w.open());
        EXPECT_TRUE(w.hear(receipt(state)).empty()); // a hundred times is once
    }
}

TEST(Doubts, ALateRefusalIsSentAgainAtOnceBecauseItIsCertain) {
    world w;
    w.says.in_doubt = v1::DOUBT_HOLD;
    w.hear(event(v1::EVENT_AWAITING));
    EXPECT_TRUE(says_only(w.hear(event(v1::EVENT_DEFERRED)), v1::EVENT_RESENT));
    ASSERT_EQ(w.resent.size(), 1U);
    EXPECT_EQ(w.resent[0].dispatch.attempt(), 2U);
    EXPECT_EQ(w.resent[0].dispatch.tries(), 1U);
    EXPECT_TRUE(w.hear(event(v1::EVENT_DEFERRED)).empty());
    EXPECT_TRUE(w.wait(24h).empty());
    // Turned away before it went: nothing was ever accepted, so nothing is in doubt.
    EXPECT_TRUE(w.hear(event(v1::EVENT_FAILED, 2)).empty());
    EXPECT_FALSE(w.open());
}

TEST(Doubts, AnOrdinaryDeferralIsNoneOfOurBusiness) {
    world w;
    EXPECT_TRUE(w.hear(event(v1::EVENT_DEFERRED)).empty());
    EXPECT_TRUE(w.resent.empty());
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_TRUE(w.hear(event(v1::EVENT_DEFERRED, 2)).empty()); // the dispatcher has written the next try itself
    EXPECT_EQ(w.resent.size(), 1U);
    EXPECT_TRUE(w.open());
}

TEST(Doubts, WhatWasAnsweredBeforeItsDoubtArrivesIsNoDoubt) {
    for (const auto& answer : {event(v1::EVENT_ACCEPTED), failed_by_gateway(1), event(v1::EVENT_RESENT, 2)}) {
        world w;
        w.hear(answer);
        w.hear(event(v1::EVENT_IN_DOUBT));
        EXPECT_FALSE(w.open()) << answer.kind();
    }
}

TEST(Doubts, ARestoredStateGoesOnWhereTheOldOneStopped) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_EQ(w.all.changes().size(), 1U);
    doubts successor;
    successor.restore(*w.all.find(id));
    EXPECT_TRUE(successor.review(w.policies(), w.now + 24h, 10).empty());
    EXPECT_TRUE(successor.changes().empty());
}

/// Any order, any repetition, decisions of time in between: what is heard last does not matter, only what was heard.
TEST(Doubts, EveryInterleavingEndsInTheSameStateAndNothingIsResentTwice) {
    for (unsigned seed = 0; seed < 4'000; ++seed) {
        std::mt19937 random{seed};
        const auto chance = [&](unsigned n) { return random() % n == 0; };
        world w;
        w.says.after = 1s;
        const bool positive = chance(2);
        std::vector<v1::Event> heard{event(v1::EVENT_IN_DOUBT)};
        if (chance(2)) {
            heard.push_back(event(v1::EVENT_AWAITING));
        }
        if (chance(3)) {
            heard.push_back(receipt(v1::RECEIPT_UNKNOWN));
        }
        if (chance(3)) {
            heard.push_back(resolved(chance(2) ? "resend" : "presume-sent", 1));
        }
        if (positive) {
            heard.push_back(event(v1::EVENT_ACCEPTED, 1));
        }
        for (std::size_t i = heard.size(); i-- > 0;) {
            if (chance(2)) {
                heard.push_back(heard[i]);
            }
        }
        std::ranges::shuffle(heard, random);
        std::vector<v1::Event> own; // ours come back to us, later than they were said, in their order
        std::size_t next_own = 0;
        for (const auto& e : heard) {
            std::ranges::copy(w.hear(e), std::back_inserter(own));
            if (chance(2)) {
                std::ranges::copy(w.wait(2s), std::back_inserter(own));
            }
            if (next_own < own.size() && chance(2)) {
                const auto mine = own[next_own++];
                std::ranges::copy(w.hear(mine), std::back_inserter(own));
            }
        }
        std::ranges::copy(w.wait(1h), std::back_inserter(own));
        while (next_own < own.size()) {
            const auto mine = own[next_own++];
            std::ranges::copy(w.hear(mine), std::back_inserter(own));
        }
        std::map<std::uint32_t, int> times;
        for (const auto& r : w.resent) {
            EXPECT_EQ(++times[r.dispatch.attempt()], 1) << "seed " << seed;
        }
        EXPECT_LE(w.resent.size(), 1U) << "seed " << seed;
        EXPECT_EQ(w.open(), !positive) << "seed " << seed;
        for (const auto& e : w.told) {
            EXPECT_NE(e.kind(), v1::EVENT_ACCEPTED) << "nobody said so; seed " << seed;
        }
    }
}

} // namespace
} // namespace semel::receipts
