// Receipts that were away, are held up, are killed, or do not know what time it is: what they decide then rests on all
// that was said.

#include "messages.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace semel::receipts::testing {
namespace {

/// A host whose clock is ahead when it starts: it waits until it is right, and decides then. By less than an hour:
/// beyond, Kafka 4 refuses what receipts writes into its state.
TEST(ReceiptsAhead, DecideNothingByAClockThatIsWrong) {
    stage own;
    support::stepped_clock wall{30min};
    own.start("receipts", &wall);
    const message open{"resend-600"}, due{"resend"}, answered{"resend-600"};
    own.tell({open.event(own, v1::EVENT_IN_DOUBT), due.event(own, v1::EVENT_IN_DOUBT),
              answered.event(own, v1::EVENT_IN_DOUBT)});
    own.tell({answered.accepted(own, "id-" + base::to_hex(answered.notification))});
    own.report({receipt("id-" + base::to_hex(answered.notification))});
    // Evidence counts whatever the clock says.
    auto now = own.wait("a receipt", [&](const seen& s) { return s.has(answered.notification, v1::EVENT_RECEIPT); });
    const auto looks = [&] { return own.metric("receipts", "semel_receipts_looks_total"); };
    const auto before = looks();
    now = own.wait("some looks", [&](const seen&) { return looks() >= before + 20; });
    EXPECT_EQ(now.resends.size(), 0U);
    wall.step(0s);
    now = own.wait("what is due", [&](const seen& s) { return s.has(due.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.resends_of(open.notification), 0U) << "for another ten minutes";
}

// A service that was away for longer than a doubt may last: the answer lies in Kafka, a good way behind the doubt.
TEST(ReceiptsBehind, ReadWhatThereIsBeforeTheyDecide) {
    stage on;
    const message answered{"resend-0"};
    std::vector<v1::Event> backlog{answered.event(on, v1::EVENT_IN_DOUBT)};
    const auto partition = base::partition_of(answered.notification, stage::partitions);
    while (backlog.size() < 2'000) { // ten batches, and a look at the clock between any two
        const message other{"resend"};
        if (base::partition_of(other.notification, stage::partitions) == partition) {
            backlog.push_back(other.event(on, v1::EVENT_FAILED));
        }
    }
    backlog.push_back(answered.accepted(on, "after-all"));
    const message open{"resend"}; // the last in its partition: it is decided when all has been read
    on.tell(backlog);
    on.tell({open.event(on, v1::EVENT_IN_DOUBT)});
    on.start("receipts");
    const auto now = on.wait("a decision", [&](const seen& s) { return s.has(open.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.resends_of(answered.notification), 0U);
    EXPECT_EQ(now.of(answered.notification, v1::EVENT_RESENT).size(), 0U);
    EXPECT_EQ(on.stop("receipts"), 0);
}

// PostgreSQL hangs for longer than a doubt may last, and than a statement waits for its lock; the doubt's answer comes
// meanwhile, and is read only afterwards.
TEST(ReceiptsHeld, APostgresqlThatHangsSendsNothingAgain) {
    stage on{60s};
    const message answered{"resend-4"}, other{"hold"}, fence{"resend"};
    on.start("receipts");
    on.tell({answered.event(on, v1::EVENT_IN_DOUBT)});
    on.wait("the doubt", [&](const seen&) { return on.evidence("resend-4", answered.notification).has_value(); });
    {
        pqxx::connection c{on.dsn()};
        pqxx::work held{c};
        held.exec("LOCK TABLE receipts.known, receipts.open_doubt, receipts.orphan");
        on.tell({other.accepted(on, "while-held")}); // stands in the way
        on.wait("a statement that waits", [&](const seen&) { return on.statements_waiting() > 0; });
        on.tell({answered.accepted(on, "answered-while-held")});
        const auto due = base::now() + 5s;
        on.wait("the doubt's time to pass", [&](const seen&) { return base::now() > due; });
    }
    on.tell({fence.event(on, v1::EVENT_IN_DOUBT)});
    const auto now = on.wait("a decision", [&](const seen& s) { return s.has(fence.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.resends_of(answered.notification), 0U);
    EXPECT_FALSE(now.has(answered.notification, v1::EVENT_RESENT));
    EXPECT_EQ(on.stop("receipts"), 0);
}

// What may settle a doubt lies where another process reads it, and that one stands still.
TEST(ReceiptsHeld, ADoubtWaitsForWhatAnotherProcessHasNotRead) {
    stage on{60s};
    on.start("receipts");
    on.start("receipts-2");
    const message first{"resend"};
    on.tell({first.event(on, v1::EVENT_IN_DOUBT)});
    on.wait("both to work", [&](const seen& s) { return s.has(first.notification, v1::EVENT_RESENT); });
    std::vector<message> doubted;
    on.pause("receipts-2");
    std::vector<v1::GatewayReceipt> reports;
    for (int i = 0; i < 16; ++i) {
        doubted.push_back({"resend-2"});
        auto bounce = receipt({}, v1::RECEIPT_BOUNCED, "5.1.1");
        bounce.set_message_id(fmt::format("held-{}", i)); // spreads them over the partitions
        bounce.set_notification(doubted.back().notification);
        reports.push_back(bounce);
        on.tell({doubted.back().event(on, v1::EVENT_IN_DOUBT)});
    }
    on.report(reports);
    const auto due = base::now() + 4s; // within the other's session
    on.wait("their time to pass", [&](const seen&) { return base::now() > due; });
    on.resume("receipts-2");
    const auto now = on.wait("every doubt's end", [&](const seen& s) {
        return std::ranges::all_of(doubted, [&](const auto& m) { return s.has(m.notification, v1::EVENT_ACCEPTED); });
    });
    for (const auto& m : doubted) {
        EXPECT_EQ(now.resends_of(m.notification), 0U);
    }
    EXPECT_EQ(on.stop("receipts"), 0);
    EXPECT_EQ(on.stop("receipts-2"), 0);
}

struct told {
    std::vector<message> doubtful, reported, answered;
};

/// What happens while receipts die: doubts to be decided, receipts before and after their messages, and a late answer.
void tell_more(stage& on, told& all) {
    all.answered.push_back({"resend-30"}); // its answer comes before its time
    on.tell({all.answered.back().event(on, v1::EVENT_IN_DOUBT)});
    for (int i = 0; i < 6; ++i) {
        all.doubtful.push_back({"resend"});
        all.reported.push_back({"hold"});
        const auto id = base::to_hex(all.reported.back().notification);
        on.tell({all.doubtful.back().event(on, v1::EVENT_IN_DOUBT)});
        const auto accepted = all.reported.back().accepted(on, id);
        if (i % 2 == 0) {
            on.report({receipt(id)});
            on.tell({accepted});
        } else {
            on.tell({accepted});
            on.report({receipt(id)});
        }
    }
    on.tell({all.answered.back().accepted(on, "late-" + base::to_hex(all.answered.back().notification))});
}

TEST(ReceiptsKilled, GoOnWithoutResendingOrForgettingAnything) {
    stage on{60s};
    on.start("receipts");
    on.start("receipts-2");
    std::mt19937 random{20261124};
    told all;
    const auto& [doubtful, reported, answered] = all;
    constexpr int rounds = 7;
    for (int round = 0; round < rounds; ++round) {
        const auto decided_before = doubtful.size();
        tell_more(on, all);
        // Some of the last round are decided, the rest are being decided now.
        const auto some = [&](const seen& s) {
            return std::ranges::any_of(doubtful.begin() + static_cast<std::ptrdiff_t>(decided_before), doubtful.end(),
                                       [&](const auto& m) { return s.has(m.notification, v1::EVENT_RESENT); });
        };
        on.wait("a decision of this round", some);
        const std::string victim = random() % 2 == 0 ? "receipts" : "receipts-2";
        on.kill(victim);
        on.start(victim);
    }
    const auto all_decided = [&](const seen& s) {
        return std::ranges::all_of(doubtful, [&](const auto& m) { return s.has(m.notification, v1::EVENT_RESENT); }) &&
               std::ranges::all_of(reported, [&](const auto& m) { return s.has(m.notification, v1::EVENT_RECEIPT); });
    };
    on.wait("every decision", all_decided);
    // Told again by processes that were late: nothing is open for them.
    for (const auto& m : doubtful) {
        on.tell({m.event(on, v1::EVENT_IN_DOUBT)});
    }
    on.kill("receipts");
    on.start("receipts");
    std::vector<message> fences; // behind the repetitions in every partition
    for (std::int32_t p = 0; p < stage::partitions; ++p) {
        fences.push_back({"resend"});
        while (base::partition_of(fences.back().notification, stage::partitions) != p) {
            fences.back().notification = new_notification();
        }
        on.tell({fences.back().event(on, v1::EVENT_IN_DOUBT)});
    }
    const auto now = on.wait("the last resends", [&](const seen& s) {
        return std::ranges::all_of(fences, [&](const auto& m) { return s.has(m.notification, v1::EVENT_RESENT); });
    });
    for (const auto& m : doubtful) {
        EXPECT_EQ(now.resends_of(m.notification), 1U);
        EXPECT_EQ(now.of(m.notification, v1::EVENT_RESENT).size(), 1U);
    }
    for (const auto& m : answered) {
        EXPECT_EQ(now.resends_of(m.notification), 0U); // settled for every successor
    }
    EXPECT_EQ(on.stop("receipts"), 0);
    EXPECT_EQ(on.stop("receipts-2"), 0);
}

} // namespace
} // namespace semel::receipts::testing
