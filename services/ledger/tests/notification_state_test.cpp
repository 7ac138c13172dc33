#include "events.hpp"

#include <gtest/gtest.h>
#include <ledger/core/notification_state.hpp>

#include <algorithm>
#include <random>

namespace semel::ledger {
namespace {

using test::story;

notification_state of(const std::vector<v1::Event>& events) {
    notification_state s;
    for (const auto& e : events) {
        s = merge(s, state_of(e).value_or(notification_state{}));
    }
    return s;
}

line line_after(const std::vector<v1::Event>& events) {
    return line_of(of(events));
}

/// Every event that a notification of three attempts can have.
std::vector<v1::Event> all_events() {
    story s{"c"};
    std::vector<v1::Event> all;
    for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
        for (const auto kind : {v1::EVENT_ACCEPTED, v1::EVENT_FAILED, v1::EVENT_DEFERRED, v1::EVENT_AWAITING,
                                v1::EVENT_IN_DOUBT, v1::EVENT_RESENT, v1::EVENT_PRESUMED_SENT, v1::EVENT_UNRESOLVED}) {
            all.push_back(s.about(kind, "a", attempt));
        }
    }
    for (std::uint32_t attempt = 2; attempt <= 3; ++attempt) {
        all.push_back(s.failed_resend("a", attempt));
    }
    for (int receipt = v1::RECEIPT_DELIVERED; receipt <= v1::RECEIPT_UNKNOWN; ++receipt) {
        all.push_back(s.receipt("a", static_cast<v1::ReceiptState>(receipt)));
    }
    return all;
}

TEST(NotificationState, OfThreeEventsIsTheSameInEveryOrderAndWithEveryRepetition) {
    const auto all = all_events();
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < all.size(); ++j) {
            for (std::size_t k = 0; k < all.size(); ++k) {
                const auto once = of({all[i], all[j], all[k]});
                ASSERT_EQ(once, of({all[k], all[j], all[i]}));
                ASSERT_EQ(once, of({all[j], all[i], all[k], all[j]}));
                ASSERT_EQ(once, merge(once, of({all[i]})));
            }
        }
    }
}

TEST(NotificationState, OfAnyEventsIsAFunctionOfTheirSet) {
    std::mt19937 random{7};
    const auto all = all_events();
    for (int round = 0; round < 2'000; ++round) {
        std::vector<v1::Event> some;
        std::ranges::sample(all, std::back_inserter(some), 8, random);
        const auto in_order = of(some);
        std::ranges::sample(std::vector{some}, std::back_inserter(some), 4, random); // repeated
        std::ranges::shuffle(some, random);
        ASSERT_EQ(in_order, of(some));
        // Batches are merged first and then with what is stored: that must not matter either.
        const auto cut = static_cast<std::ptrdiff_t>(random() % some.size());
        ASSERT_EQ(in_order, merge(of({some.begin() + cut, some.end()}), of({some.begin(), some.begin() + cut})));
    }
}

TEST(NotificationState, BeginsOutstanding) {
    EXPECT_EQ(line_after({}), line::outstanding);
    EXPECT_EQ(line_after({story{"c"}.about(v1::EVENT_AWAITING, "a")}), line::outstanding);
}

TEST(NotificationState, AcceptedIsNotTakenBackByAnotherAttempt) {
    story s{"c"};
    for (const auto kind : {v1::EVENT_FAILED, v1::EVENT_DEFERRED, v1::EVENT_AWAITING, v1::EVENT_IN_DOUBT,
                            v1::EVENT_RESENT, v1::EVENT_PRESUMED_SENT, v1::EVENT_UNRESOLVED}) {
        for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
            EXPECT_EQ(line_after({s.about(v1::EVENT_ACCEPTED, "a", 2), s.about(kind, "a", attempt)}), line::accepted);
        }
    }
}

TEST(NotificationState, ABounceAfterAcceptanceIsAFailureUnlessItWasDelivered) {
    story s{"c"};
    const auto accepted = s.about(v1::EVENT_ACCEPTED, "a");
    const auto bounced = s.receipt("a", v1::RECEIPT_BOUNCED);
    EXPECT_EQ(line_after({accepted, bounced}), line::failed);
    EXPECT_EQ(line_after({bounced}), line::outstanding) << "of one part, for all that it says";
    for (const auto proof : {v1::RECEIPT_DELIVERED, v1::RECEIPT_READ, v1::RECEIPT_COMPLAINED}) {
        EXPECT_EQ(line_after({accepted, bounced, s.receipt("a", proof)}), line::accepted);
    }
    for (const auto nothing : {v1::RECEIPT_INTERMEDIATE, v1::RECEIPT_UNKNOWN}) {
        EXPECT_EQ(line_after({accepted, bounced, s.receipt("a", nothing)}), line::failed);
        EXPECT_EQ(line_after({s.receipt("a", nothing)}), line::outstanding);
    }
}

TEST(NotificationState, ADeliveryReportLeavesADoubtToReceipts) {
    story s{"c"};
    const auto doubt = s.about(v1::EVENT_UNRESOLVED, "a");
    const auto report = s.receipt("a", v1::RECEIPT_DELIVERED);
    EXPECT_EQ(line_after({doubt, report}), line_after({doubt})) << "it may be of one part of several";
    EXPECT_EQ(line_after({doubt, report, s.about(v1::EVENT_ACCEPTED, "a")}), line::accepted);
}

TEST(NotificationState, DoubtWaitsForEvidenceThenForThePolicy) {
    story s{"c"};
    const auto doubt = s.about(v1::EVENT_IN_DOUBT, "a");
    const auto awaiting = s.about(v1::EVENT_AWAITING, "a");
    EXPECT_EQ(line_after({awaiting, doubt}), line::doubtful);
    EXPECT_EQ(line_after({doubt, s.about(v1::EVENT_UNRESOLVED, "a")}), line::unresolved);
    EXPECT_EQ(line_after({doubt, s.about(v1::EVENT_PRESUMED_SENT, "a")}), line::presumed_sent);
    EXPECT_EQ(line_after({doubt, s.about(v1::EVENT_UNRESOLVED, "a"), s.about(v1::EVENT_RESENT, "a", 2)}),
              line::retrying);
    EXPECT_EQ(line_after({doubt, s.about(v1::EVENT_FAILED, "a")}), line::failed);
    EXPECT_EQ(line_after({s.about(v1::EVENT_PRESUMED_SENT, "a"), s.about(v1::EVENT_FAILED, "a")}), line::failed);
}

TEST(NotificationState, AResendIsOutstandingUntilItsOwnAttemptIsAnswered) {
    story s{"c"};
    const std::vector<v1::Event> resent{s.about(v1::EVENT_IN_DOUBT, "a"), s.about(v1::EVENT_RESENT, "a", 2)};
    const auto then = [&](const v1::Event& e) {
        auto events = resent;
        events.push_back(e);
        return line_after(events);
    };
    EXPECT_EQ(line_after(resent), line::retrying);
    EXPECT_EQ(then(s.about(v1::EVENT_FAILED, "a", 1)), line::retrying); // late: the second is on its way
    EXPECT_EQ(then(s.about(v1::EVENT_ACCEPTED, "a", 1)), line::accepted);
    EXPECT_EQ(then(s.about(v1::EVENT_FAILED, "a", 2)), line::failed);
    EXPECT_EQ(then(s.about(v1::EVENT_IN_DOUBT, "a", 2)), line::doubtful);
    EXPECT_EQ(then(s.about(v1::EVENT_UNRESOLVED, "a", 2)), line::unresolved);
}

TEST(NotificationState, ALateRefusalOfTheCopyInDoubtIsNotTheEndOfWhatWasSentAgain) {
    story s{"c"};
    std::vector<v1::Event> all{s.about(v1::EVENT_IN_DOUBT, "a", 2), s.about(v1::EVENT_RESENT, "a", 3),
                               s.about(v1::EVENT_FAILED, "a", 2)};
    EXPECT_EQ(line_after(all), line::retrying);
    all.push_back(s.about(v1::EVENT_ACCEPTED, "a", 3));
    EXPECT_EQ(line_after(all), line::accepted);
    std::ranges::reverse(all);
    EXPECT_EQ(line_after(all), line::accepted);
}

TEST(NotificationState, AFailedResendIsUnresolvedUntilEveryCopyIsKnownToHaveFailed) {
    story s{"c"};
    const std::vector<v1::Event> vain{s.about(v1::EVENT_IN_DOUBT, "a"), s.about(v1::EVENT_RESENT, "a", 2),
                                      s.failed_resend("a", 2)};
    const auto then = [&](const v1::Event& e) {
        auto events = vain;
        events.push_back(e);
        return line_after(events);
    };
    EXPECT_EQ(line_after(vain), line::unresolved) << "the first may have arrived";
    EXPECT_EQ(then(s.about(v1::EVENT_ACCEPTED, "a", 1)), line::accepted);
    EXPECT_EQ(then(s.about(v1::EVENT_FAILED, "a", 1)), line::unresolved) << "receipts says when that was the last";
    EXPECT_EQ(then(s.about(v1::EVENT_FAILED, "a", 2)), line::failed) << "and so it does";
    EXPECT_EQ(then(s.about(v1::EVENT_PRESUMED_SENT, "a", 2)), line::presumed_sent);
    EXPECT_EQ(then(s.about(v1::EVENT_RESENT, "a", 3)), line::retrying);
    EXPECT_EQ(then(s.about(v1::EVENT_IN_DOUBT, "a", 2)), line::unresolved);
}

TEST(NotificationState, ASecondCopyIsRememberedAndALateRefusalMakesNone) {
    story s{"c"};
    auto again = s.about(v1::EVENT_RESENT, "a", 2);
    EXPECT_TRUE(of({again, s.about(v1::EVENT_ACCEPTED, "a", 2)}).seen & fact_resent);
    again.set_code("semel:refused-late");
    EXPECT_FALSE(of({again, s.about(v1::EVENT_ACCEPTED, "a", 2)}).seen & fact_resent);
}

TEST(NotificationState, ALateDeferralDoesNotReopenWhatThePolicyDecided) {
    // Nobody would send it again: it would be outstanding for ever.
    story s{"c"};
    EXPECT_EQ(line_after({s.about(v1::EVENT_DEFERRED, "a"), s.about(v1::EVENT_PRESUMED_SENT, "a")}),
              line::presumed_sent);
    EXPECT_EQ(line_after({s.about(v1::EVENT_DEFERRED, "a"), s.about(v1::EVENT_IN_DOUBT, "a")}), line::retrying);
}

TEST(NotificationState, TestMessagesAndTheirKindSayNothing) {
    story s{"c"};
    auto test_message = s.about(v1::EVENT_ACCEPTED, "a");
    test_message.set_test(true);
    EXPECT_FALSE(state_of(test_message));
    for (const auto kind :
         {v1::EVENT_RECIPIENT, v1::EVENT_WAVE_SEALED, v1::EVENT_OPERATOR, v1::EVENT_DEAD_LETTER, v1::EVENT_RESOLVED}) {
        EXPECT_FALSE(state_of(s.about(kind, "a")));
    }
}

TEST(NotificationState, AttemptsBeyondAllReasonStayInBounds) {
    story s{"c"};
    const auto far = of({s.about(v1::EVENT_FAILED, "a", 4'294'967'295U)});
    EXPECT_GT(far.progress, 0);
    EXPECT_EQ(line_of(far), line::failed);
}

} // namespace
} // namespace semel::ledger
