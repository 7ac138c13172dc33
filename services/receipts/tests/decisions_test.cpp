// Resends: what forbids one, what becomes of one in vain, how often, and what an operator may decide.

#include "doubt_world.hpp"

namespace semel::receipts {
namespace {

TEST(Doubts, ACancelledExpiredOrShreddedCampaignIsNotResent) {
    const auto left_with = [](auto change, const char* code) {
        world w;
        auto e = event(v1::EVENT_IN_DOUBT);
        change(w, e);
        w.hear(e);
        EXPECT_TRUE(says_only(w.wait(30min), v1::EVENT_UNRESOLVED));
        EXPECT_EQ(w.told.back().code(), code);
        EXPECT_TRUE(w.resent.empty());
        EXPECT_TRUE(w.open());
    };
    left_with([](world& w, v1::Event&) { w.says.cancelled = true; }, "semel:cancelled");
    left_with(
        [](world& w, v1::Event& e) {
            w.says.cancelled = true;
            auto d = dispatch();
            d.set_test(true);
            e.set_dispatch(d.SerializeAsString());
        },
        "semel:cancelled");
    left_with([](world& w, v1::Event&) { w.says.key_destroyed = true; }, "semel:key-destroyed");
    left_with([](world&, v1::Event& e) { e.clear_dispatch(); }, "semel:no-record");
    left_with(
        [](world&, v1::Event& e) {
            auto d = dispatch();
            d.set_give_up_us(base::to_us(noon + 30min + 5s));
            e.set_dispatch(d.SerializeAsString());
        },
        "semel:expired");
}

TEST(Doubts, AResendThatWasTurnedAwayLeavesTheFirstAttemptInDoubt) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    auto turned_away = event(v1::EVENT_FAILED, 2);
    turned_away.set_code("semel:cancelled");
    EXPECT_TRUE(says_only(w.hear(turned_away), v1::EVENT_UNRESOLVED));
    EXPECT_TRUE(w.hear(turned_away).empty());
    ASSERT_TRUE(w.open());
    EXPECT_TRUE(says_only(w.hear(receipt(v1::RECEIPT_DELIVERED)), v1::EVENT_ACCEPTED));

    world late; // refused for now, and no time is left for a third: of the first attempt that says nothing
    late.hear(event(v1::EVENT_IN_DOUBT));
    late.wait(30min);
    auto expired = failed_by_gateway(2);
    expired.set_code("semel:expired");
    EXPECT_TRUE(says_only(late.hear(expired), v1::EVENT_UNRESOLVED));
    EXPECT_TRUE(late.open());

    world refused; // the gateway's own word about this copy, and not about the one before
    refused.hear(event(v1::EVENT_IN_DOUBT));
    refused.wait(30min);
    ASSERT_TRUE(says_only(refused.hear(failed_resend(2)), v1::EVENT_UNRESOLVED));
    EXPECT_EQ(refused.told.back().code(), "semel:resend-refused");
    EXPECT_EQ(refused.told.back().attempt(), 2U) << "the attempt that a decision names";
    EXPECT_TRUE(refused.hear(failed_resend(2)).empty());
    refused.hear(event(v1::EVENT_IN_DOUBT, 2)); // from a process that had lost its partition
    EXPECT_TRUE(refused.wait(24h).empty());
    EXPECT_TRUE(says_only(refused.hear(receipt(v1::RECEIPT_DELIVERED)), v1::EVENT_ACCEPTED));
    EXPECT_FALSE(refused.open());
}

TEST(Doubts, AFailedResendIsAFailureOnceTheFirstCopyIsKnownToHaveBeenRefused) {
    for (const auto& first : {failed_by_gateway(1), event(v1::EVENT_DEFERRED)}) {
        for (const bool before : {false, true}) { // before the resend's answer, or after it
            world w;
            w.hear(event(v1::EVENT_IN_DOUBT));
            w.wait(30min);
            if (before) {
                EXPECT_TRUE(w.hear(first).empty());
                ASSERT_TRUE(w.open()) << "the resend is on its way";
            } else {
                EXPECT_TRUE(says_only(w.hear(failed_resend(2)), v1::EVENT_UNRESOLVED));
            }
            ASSERT_TRUE(says_only(w.hear(before ? failed_resend(2) : first), v1::EVENT_FAILED));
            EXPECT_EQ(w.told.back().attempt(), 2U) << "it outranks the unresolved resend";
            EXPECT_EQ(w.told.back().code(), "semel:every-copy-refused");
            EXPECT_FALSE(w.told.back().resend());
            EXPECT_NE(w.told.back().id(), failed_resend(2).id());
            EXPECT_FALSE(w.open());
        }
    }
}

TEST(Doubts, ALateRefusalOfTheCopyInDoubtLeavesTheEndToItsResend) {
    world w;
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_TRUE(w.hear(failed_by_gateway(1)).empty());
    EXPECT_TRUE(w.wait(24h).empty());
    ASSERT_TRUE(w.open());
    const auto d = w.all.observe(event(v1::EVENT_ACCEPTED, 2), {}, w.policies(), {.told = w.now, .now = w.now});
    EXPECT_TRUE(d.empty());
    EXPECT_FALSE(d.superseded) << "it is the resend that was accepted";
    EXPECT_FALSE(w.open());
    EXPECT_EQ(w.resent.size(), 1U);
}

TEST(Doubts, OfTwoCopiesInDoubtOneRefusalIsNotAFailure) {
    const auto twice_in_doubt = [](world& w) {
        w.says.resends = 2;
        w.hear(event(v1::EVENT_IN_DOUBT));
        w.wait(30min);
        auto second = event(v1::EVENT_IN_DOUBT, 2, w.now);
        second.set_dispatch(w.resent.at(0).dispatch.SerializeAsString());
        w.hear(second);
    };
    world w;
    twice_in_doubt(w);
    EXPECT_TRUE(says_only(w.hear(failed_resend(2)), v1::EVENT_UNRESOLVED)) << "the first may have arrived";
    EXPECT_TRUE(w.hear(failed_resend(2)).empty());
    EXPECT_TRUE(w.open());

    world later; // a late "not now" is sent again as certain, and what becomes of that still proves nothing
    twice_in_doubt(later);
    EXPECT_TRUE(says_only(later.hear(event(v1::EVENT_DEFERRED, 2)), v1::EVENT_RESENT));
    EXPECT_TRUE(says_only(later.hear(failed_resend(3)), v1::EVENT_UNRESOLVED));
    EXPECT_TRUE(later.open());

    world known; // but where the first is known to have been refused, the second was the only one
    known.hear(event(v1::EVENT_IN_DOUBT));
    known.wait(30min);
    known.hear(failed_by_gateway(1));
    auto second = event(v1::EVENT_IN_DOUBT, 2, known.now);
    second.set_dispatch(known.resent.at(0).dispatch.SerializeAsString());
    known.hear(second);
    EXPECT_TRUE(says_only(known.hear(failed_resend(2)), v1::EVENT_FAILED));
    EXPECT_FALSE(known.open());
}

TEST(Doubts, ThePolicySendsAgainAsOftenAsTheCampaignAllowsAndThenAnApproverDecides) {
    for (const std::uint32_t allowed : {0U, 1U, 3U}) {
        world w;
        w.says.resends = allowed;
        auto copy = event(v1::EVENT_IN_DOUBT);
        for (std::uint32_t n = 1; n <= allowed; ++n) {
            w.hear(copy);
            ASSERT_TRUE(says_only(w.wait(30min), v1::EVENT_RESENT));
            EXPECT_EQ(w.resent.back().dispatch.resends(), n);
            copy = event(v1::EVENT_IN_DOUBT, n + 1, w.now);
            copy.set_dispatch(w.resent.back().dispatch.SerializeAsString());
        }
        w.hear(copy);
        ASSERT_TRUE(says_only(w.wait(30min), v1::EVENT_UNRESOLVED)) << allowed;
        EXPECT_EQ(w.told.back().code(), "semel:resends");
        EXPECT_TRUE(w.wait(24h * 365).empty());
        EXPECT_TRUE(says_only(w.hear(resolved("resend", allowed + 1)), v1::EVENT_RESENT)) << "nothing binds a person";
    }
}

TEST(Doubts, ACampaignAllowsOneResendUnlessItSaysOtherwise) {
    v1::Campaign c;
    EXPECT_EQ(policy_of(c).resends, 1U);
    c.set_resends(0);
    EXPECT_EQ(policy_of(c).resends, 0U);
}

TEST(Doubts, AnUnknownCampaignWaits) {
    world w;
    auto e = event(v1::EVENT_IN_DOUBT);
    e.set_campaign_id("c-2");
    w.hear(e);
    EXPECT_TRUE(w.wait(24h).empty());
    EXPECT_TRUE(w.open());
}

TEST(Doubts, AnOperatorDecidesAboutTheAttemptThatWasLookedAt) {
    world w;
    w.says.in_doubt = v1::DOUBT_HOLD;
    EXPECT_TRUE(w.hear(resolved("resend", 1)).empty()); // nothing is open
    w.hear(event(v1::EVENT_IN_DOUBT));
    w.wait(30min);
    EXPECT_TRUE(w.hear(resolved("resend", 2)).empty()); // another attempt
    EXPECT_TRUE(w.hear(resolved("shrug", 1)).empty());
    ASSERT_TRUE(says_only(w.hear(resolved("resend", 1)), v1::EVENT_RESENT));
    EXPECT_EQ(w.told.back().actor(), "alice");
    EXPECT_TRUE(w.hear(resolved("resend", 1)).empty()); // told twice
    EXPECT_EQ(w.resent.size(), 1U);
    // The resend is turned away: the old decision does not send again, a new one does.
    w.hear(event(v1::EVENT_FAILED, 2));
    EXPECT_TRUE(w.hear(resolved("resend", 1)).empty());
    ASSERT_EQ(w.told.back().kind(), v1::EVENT_UNRESOLVED);
    EXPECT_TRUE(says_only(w.hear(resolved("resend", w.told.back().attempt())), v1::EVENT_RESENT));
    EXPECT_EQ(w.resent.back().dispatch.attempt(), 3U);
}

TEST(Doubts, AnOperatorMayPresumeBeforeThePolicyWouldDecide) {
    world w;
    w.hear(event(v1::EVENT_AWAITING));
    EXPECT_TRUE(w.hear(resolved("presume-sent", 1)).empty()); // the connection may still answer
    w.hear(event(v1::EVENT_IN_DOUBT));
    EXPECT_TRUE(says_only(w.hear(resolved("presume-sent", 1)), v1::EVENT_PRESUMED_SENT));
    EXPECT_EQ(w.told.back().actor(), "alice");
    EXPECT_TRUE(w.wait(24h).empty()); // and the policy does not decide again
}

} // namespace
} // namespace semel::receipts
