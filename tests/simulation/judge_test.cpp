// That the judge sees each breach, and none where there is none.

#include "judge.hpp"

#include <base/codes.hpp>
#include <delivery/core/checkpoint.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace semel::simulation {
namespace {

const std::string somebody(32, 'n');

struct court {
    world w{1};
    judge j{w};
    int told = 0;

    court() {
        v1::Dispatch d;
        d.set_notification(somebody);
        d.set_campaign_id("c");
        d.set_planned_at_us(7);
        j.planned(d);
    }
    void accept(std::uint32_t attempt, std::int64_t dated_us = 7) {
        delivery::outbound m;
        m.notification = *base::from_bytes<base::notification_id>(somebody);
        m.attempt = attempt;
        m.planned_at = base::from_us(dated_us);
        j.accepted(nobody, m);
    }
    void tell(v1::EventKind kind, std::uint32_t attempt, const char* code = "") {
        v1::Event e;
        e.set_id(std::to_string(++told));
        e.set_notification(somebody);
        e.set_kind(kind);
        e.set_attempt(attempt);
        e.set_code(code);
        j.told(e);
    }
    /// Attempt 1 was in doubt, and is sent again as attempt 2.
    void send_again(const char* why = codes::policy) {
        tell(v1::EVENT_IN_DOUBT, 1);
        tell(v1::EVENT_RESENT, 2, why);
    }
    void wait(duration time) {
        w.at(nobody, w.now() + time, [](boost::system::error_code) {});
        w.step();
    }
    /// The first breach, as far as its name; empty: there is none.
    std::string breach() {
        const auto all = j.close().breaches;
        if (all.empty()) {
            return {};
        }
        // "after 1.000 s: 6e6e6e6e6e6e I1: ..."
        const auto& first = all.front();
        const auto name = first.find(' ', first.find("s: ") + 3) + 1;
        return first.substr(name, first.find(':', name) - name);
    }
};

TEST(Judge, FindsNothingInWhatIsRight) {
    court c;
    c.accept(1);
    c.tell(v1::EVENT_ACCEPTED, 1);
    EXPECT_EQ(c.breach(), "");
    EXPECT_TRUE(c.j.all_told());
}

TEST(Judge, LetsNobodyBeToldTwiceButWhoWasSentAgain) {
    court c;
    c.accept(1);
    c.send_again();
    c.accept(2);
    EXPECT_FALSE(c.j.broken());
    c.accept(2);
    EXPECT_EQ(c.breach(), "I1");
}

TEST(Judge, WantsASecondCopyToBeTheSameMessage) {
    court c;
    c.accept(1, 8);
    EXPECT_EQ(c.breach(), "I1");
}

TEST(Judge, BelievesNoEventThatAGatewayContradicts) {
    court never_sent;
    never_sent.tell(v1::EVENT_ACCEPTED, 1);
    EXPECT_EQ(never_sent.breach(), "I3");
    court sent;
    sent.accept(1);
    sent.tell(v1::EVENT_FAILED, 1);
    EXPECT_EQ(sent.breach(), "I4");
}

// SEMEL_SEED=3066465683: the copy in doubt was refused, after all, when the one that was sent again was out.
TEST(Judge, TakesALateRefusalOfTheCopyInDoubtForNoEnd) {
    court before;
    before.send_again();
    before.tell(v1::EVENT_FAILED, 1);
    before.accept(2);
    before.tell(v1::EVENT_ACCEPTED, 2);
    EXPECT_EQ(before.breach(), "");
    court after;
    after.send_again();
    after.accept(2);
    after.tell(v1::EVENT_FAILED, 1);
    after.tell(v1::EVENT_ACCEPTED, 2);
    EXPECT_EQ(after.breach(), "");
}

TEST(Judge, LetsNobodyCountAsFailedWhomAGatewayHas) {
    court another_copy;
    another_copy.accept(1);
    another_copy.send_again();
    EXPECT_FALSE(another_copy.j.broken());
    another_copy.tell(v1::EVENT_FAILED, 2);
    EXPECT_EQ(another_copy.breach(), "I4");
    court sent_afterwards;
    sent_afterwards.tell(v1::EVENT_FAILED, 1);
    sent_afterwards.accept(2);
    EXPECT_EQ(sent_afterwards.breach(), "I4");
}

TEST(Judge, LetsNothingGoOutLongAfterAPause) {
    court c;
    c.j.paused("c", true);
    c.wait(10s);
    EXPECT_FALSE(c.j.broken());
    c.wait(10s);
    c.accept(1);
    EXPECT_EQ(c.breach(), "O1");
    court d;
    d.j.paused("c", true);
    d.tell(v1::EVENT_FAILED, 1, codes::cancelled);
    EXPECT_EQ(d.breach(), "O1");
}

TEST(Judge, LetsNoPolicySendAgainLongAfterTheEnd) {
    for (const auto* why : {codes::policy, codes::refused_late}) {
        court c;
        c.j.cancelled("c");
        c.wait(20s);
        c.send_again(why);
        c.tell(v1::EVENT_FAILED, 2, codes::cancelled);
        EXPECT_EQ(c.breach(), why == codes::policy ? "O1" : "");
    }
}

TEST(Judge, MissesWhoStaysOutstanding) {
    court c;
    c.send_again();
    EXPECT_TRUE(c.j.all_told());
    EXPECT_FALSE(c.j.all_settled());
    EXPECT_EQ(c.breach(), "I12");
}

TEST(Judge, WantsACommitBetweenAHeadAndAClaim) {
    const kafka::topic_partition at{"dispatch.sms", 0};
    delivery::checkpoint said{.owner = 2, .transaction = 1, .marker = {}, .range = {}};
    said.marker[0] = 'm';
    const std::string marker{base::as_view(said.marker)};
    court c;
    c.j.committed({.at = at, .next = 0, .metadata = delivery::encode(said)});
    c.j.claimed(at, 2, marker);
    EXPECT_FALSE(c.j.broken());
    c.j.claimed(at, 2, "another");
    EXPECT_TRUE(c.j.broken());
    court d;
    d.j.committed({.at = at, .next = 0, .metadata = delivery::encode(said)});
    d.j.head_written(at);
    d.j.claimed(at, 2, marker);
    EXPECT_TRUE(d.j.broken());
}

TEST(Judge, LetsOwnersAndTransactionsOnlyRise) {
    const kafka::topic_partition at{"dispatch.sms", 0};
    const auto commits = [&](court& c, std::uint64_t owner, std::uint64_t transaction) {
        const delivery::checkpoint said{.owner = owner, .transaction = transaction, .marker = {}, .range = {}};
        c.j.committed({.at = at, .next = 0, .metadata = delivery::encode(said)});
        return !c.j.broken();
    };
    court overtaken;
    EXPECT_TRUE(commits(overtaken, 2, 5));
    EXPECT_TRUE(commits(overtaken, 2, 6));
    EXPECT_TRUE(commits(overtaken, 3, 7));
    EXPECT_FALSE(commits(overtaken, 2, 8));
    court again;
    EXPECT_TRUE(commits(again, 2, 5));
    EXPECT_FALSE(commits(again, 2, 5));
}

TEST(Judge, MissesWhoIsLost) {
    court c;
    EXPECT_EQ(c.breach(), "I12");
}

} // namespace
} // namespace semel::simulation
