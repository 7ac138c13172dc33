// Receipts against a real Kafka and PostgreSQL, as processes: policies, receipts in every order, inference.

#include "messages.hpp"

#include <receipts/core/evidence.hpp>

namespace semel::receipts::testing {
namespace {

/// Two processes that share the partitions.
class Receipts : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        on = std::make_unique<stage>();
        on->start("receipts");
        on->start("receipts-2");
    }
    static void TearDownTestSuite() {
        if (on) {
            EXPECT_EQ(on->stop("receipts"), 0);
            EXPECT_EQ(on->stop("receipts-2"), 0);
        }
        on.reset();
    }
    static inline std::unique_ptr<stage> on;
};

TEST_F(Receipts, EachPolicyDecidesAfterItsTime) {
    const message resend{"resend"}, hold{"hold"}, presume{"presume"}, cancelled{"cancelled"};
    on->tell({resend.event(*on, v1::EVENT_IN_DOUBT), hold.event(*on, v1::EVENT_IN_DOUBT),
              presume.event(*on, v1::EVENT_IN_DOUBT), cancelled.event(*on, v1::EVENT_IN_DOUBT)});
    auto now = on->wait("four decisions", [&](const seen& s) {
        return s.has(resend.notification, v1::EVENT_RESENT) && s.has(hold.notification, v1::EVENT_UNRESOLVED) &&
               s.has(presume.notification, v1::EVENT_PRESUMED_SENT) &&
               s.has(cancelled.notification, v1::EVENT_UNRESOLVED);
    });
    EXPECT_EQ(now.resends_of(resend.notification), 1U);
    for (const auto& d : now.resends) {
        if (d.notification() == resend.notification) {
            EXPECT_EQ(d.attempt(), 2U);
            EXPECT_EQ(d.pinned_gateway(), "smsc-a");
            EXPECT_TRUE(wire::open_delivery(on->key(), d)); // it can be sent as it is
        }
    }
    EXPECT_EQ(now.of(cancelled.notification, v1::EVENT_UNRESOLVED)[0].code(), "semel:cancelled");

    // What is held, an operator sends; twice told is once sent.
    on->tell({decision_of(hold, *on, "resend"), decision_of(hold, *on, "resend")});
    now = on->wait("the operator's resend", [&](const seen& s) { return s.has(hold.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.of(hold.notification, v1::EVENT_RESENT)[0].actor(), "alice");
    for (const auto* m : {&resend, &hold}) {
        on->tell({m->accepted(*on, "id-" + base::to_hex(m->notification), 2)});
    }
    on->report({receipt("id-" + base::to_hex(hold.notification))});
    now =
        on->wait("a receipt of the resend", [&](const seen& s) { return s.has(hold.notification, v1::EVENT_RECEIPT); });
    EXPECT_EQ(now.resends_of(hold.notification), 1U);
    EXPECT_EQ(now.resends_of(presume.notification) + now.resends_of(cancelled.notification), 0U);
}

TEST_F(Receipts, CountByTheBrokersClockHowLongADoubtIsOpen) {
    message behind{.campaign = "resend-60", .phone = "+821000000060"}, later{"resend"};
    while (base::partition_of(later.notification, stage::partitions) !=
           base::partition_of(behind.notification, stage::partitions)) {
        later.notification = new_notification();
    }
    auto dated = behind.event(*on, v1::EVENT_IN_DOUBT); // by a dispatcher whose clock is an hour behind
    dated.set_time_us(dated.time_us() - 3'600'000'000);
    on->tell({dated});
    on->tell({later.event(*on, v1::EVENT_IN_DOUBT)});
    const auto now = on->wait("a decision", [&](const seen& s) { return s.has(later.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.resends_of(behind.notification), 0U);
    EXPECT_FALSE(now.has(behind.notification, v1::EVENT_RESENT));
    on->tell({behind.accepted(*on, "after-all-" + base::to_hex(behind.notification))}); // open for no other test
}

TEST_F(Receipts, LeaveAMarkForTheDispatcherWhenAResendIsNeedless) {
    const message late{"resend"}, still_open{"resend"};
    on->tell({late.event(*on, v1::EVENT_IN_DOUBT), still_open.event(*on, v1::EVENT_IN_DOUBT)});
    auto now = on->wait("two resends", [&](const seen& s) {
        return s.has(late.notification, v1::EVENT_RESENT) && s.has(still_open.notification, v1::EVENT_RESENT);
    });
    for (const auto& d : now.resends) {
        EXPECT_TRUE(d.resend());
    }
    on->tell({late.accepted(*on, "id-" + base::to_hex(late.notification), 1)});
    on->wait("the mark", [&](const seen&) { return on->is_marked(late.notification); });
    EXPECT_FALSE(on->is_marked(still_open.notification));
}

TEST_F(Receipts, WhatIsAwaitedTooLongIsInDoubt) {
    const message lost{"resend"}, answered{"resend"};
    on->tell({lost.event(*on, v1::EVENT_AWAITING), answered.event(*on, v1::EVENT_AWAITING),
              answered.accepted(*on, base::to_hex(answered.notification))});
    const auto now = on->wait("a resend", [&](const seen& s) { return s.has(lost.notification, v1::EVENT_RESENT); });
    EXPECT_EQ(now.of(lost.notification, v1::EVENT_IN_DOUBT).size(), 1U);
    EXPECT_FALSE(now.has(answered.notification, v1::EVENT_IN_DOUBT));
    EXPECT_EQ(now.resends_of(answered.notification), 0U);
}

TEST_F(Receipts, FindTheirMessageInEveryOrder) {
    const message before{"hold"}, after{"hold"}, two_parts{"hold"};
    const auto id = [](const message& m) { return base::to_hex(m.notification); };
    on->report({receipt(id(after)), receipt(id(after)), receipt("nobody's-" + id(after))}); // before the acceptance
    on->tell({before.accepted(*on, id(before)), two_parts.accepted(*on, "1" + id(two_parts) + ",2" + id(two_parts))});
    on->wait("orphaned receipts",
             [&](const seen&) { return on->orphaned(id(after)) && on->orphaned("nobody's-" + id(after)); });
    on->tell({after.accepted(*on, id(after))});
    on->wait("the orphan's event", [&](const seen& s) { return s.has(after.notification, v1::EVENT_RECEIPT); });

    // Repeated, contradicted, and one part's.
    on->report({receipt(id(before)), receipt(id(before)), receipt(id(before), v1::RECEIPT_BOUNCED, "0b"),
                receipt("2" + id(two_parts))});
    const auto now = on->wait("receipts of all three", [&](const seen& s) {
        return s.of(before.notification, v1::EVENT_RECEIPT).size() >= 2 &&
               s.has(two_parts.notification, v1::EVENT_RECEIPT);
    });
    const auto both = now.of(before.notification, v1::EVENT_RECEIPT);
    ASSERT_EQ(both.size(), 2U); // by id
    EXPECT_NE(both[0].receipt(), both[1].receipt());
    EXPECT_EQ(both[0].campaign_id(), "hold");
    EXPECT_EQ(both[0].channel(), v1::CHANNEL_SMS);
    EXPECT_EQ(now.of(after.notification, v1::EVENT_RECEIPT).size(), 1U);
}

TEST_F(Receipts, ABounceNamesItsMessageByTheFirstHalfOfItsId) {
    const message doubtful{"hold"}, known{"hold"};
    on->tell({doubtful.event(*on, v1::EVENT_IN_DOUBT), known.accepted(*on, "queue-id")});
    v1::GatewayReceipt bounce = receipt({}, v1::RECEIPT_BOUNCED, "5.1.1");
    bounce.set_notification(doubtful.notification.substr(0, 16));
    auto other = bounce;
    other.set_notification(known.notification);
    on->wait("the doubt", [&](const seen& s) { return s.has(doubtful.notification, v1::EVENT_UNRESOLVED); });
    on->report({bounce, other});
    const auto now = on->wait("the bounces", [&](const seen& s) {
        return s.has(doubtful.notification, v1::EVENT_ACCEPTED) && s.has(known.notification, v1::EVENT_RECEIPT);
    });
    EXPECT_EQ(now.of(doubtful.notification, v1::EVENT_ACCEPTED)[0].code(), "semel:receipt");
}

TEST_F(Receipts, ABounceThatIsReadBeforeTheDoubtItNamesSettlesIt) {
    const message bounced{"resend"}, other{"resend"};
    const auto id = "early-" + base::to_hex(bounced.notification);
    auto bounce = receipt(id, v1::RECEIPT_BOUNCED, "5.1.1");
    bounce.set_notification(bounced.notification.substr(0, 16));
    on->report({bounce});
    on->wait("the orphaned bounce", [&](const seen&) { return on->orphaned(id); });
    on->tell({bounced.event(*on, v1::EVENT_IN_DOUBT), other.event(*on, v1::EVENT_IN_DOUBT)});
    const auto now = on->wait("both doubts' end", [&](const seen& s) {
        return s.has(other.notification, v1::EVENT_RESENT) &&
               (s.has(bounced.notification, v1::EVENT_ACCEPTED) || s.has(bounced.notification, v1::EVENT_RESENT));
    });
    EXPECT_EQ(now.resends_of(bounced.notification), 0U);
    const auto settled = now.of(bounced.notification, v1::EVENT_ACCEPTED);
    ASSERT_EQ(settled.size(), 1U);
    EXPECT_EQ(settled[0].code(), "semel:receipt");
    EXPECT_EQ(settled[0].text().find(inferred_mark), std::string::npos) << settled[0].text();
}

TEST_F(Receipts, AreInferredOnlyWhenOneOpenMessageCanBeMeant) {
    const message alone{.campaign = "hold", .phone = "+821000000001"};
    const message one{.campaign = "hold", .phone = "+821000000002"};
    message other{.campaign = "hold", .phone = "+821000000002"};
    other.notification.replace(0, 2, one.notification, 0, 2); // the same reference
    on->tell({alone.event(*on, v1::EVENT_IN_DOUBT), one.event(*on, v1::EVENT_IN_DOUBT),
              other.event(*on, v1::EVENT_IN_DOUBT)});
    on->wait("three doubts", [&](const seen& s) {
        return s.has(alone.notification, v1::EVENT_UNRESOLVED) && s.has(one.notification, v1::EVENT_UNRESOLVED) &&
               s.has(other.notification, v1::EVENT_UNRESOLVED);
    });
    on->report({receipt_for(*on, one, "x" + base::to_hex(one.notification))});
    on->report({receipt_for(*on, alone, "x" + base::to_hex(alone.notification))});
    auto now = on->wait("an inference", [&](const seen& s) { return s.has(alone.notification, v1::EVENT_ACCEPTED); });
    EXPECT_NE(now.of(alone.notification, v1::EVENT_RECEIPT).at(0).text().find(inferred_mark), std::string::npos);
    EXPECT_NE(now.of(alone.notification, v1::EVENT_ACCEPTED).at(0).text().find(inferred_mark), std::string::npos);
    EXPECT_FALSE(now.has(one.notification, v1::EVENT_RECEIPT));
    EXPECT_FALSE(now.has(other.notification, v1::EVENT_RECEIPT));
    using searched = stage::searched;
    on->wait("a search that has ended", [&](const seen&) { return !on->evidence("hold", alone.notification); });
    for (const auto* m : std::vector<const message*>{&one, &other}) {
        EXPECT_EQ(on->evidence("hold", m->notification),
                  (searched{.comparable = true, .fitting = 1, .candidates = 2, .others = 0}));
    }
    // Once one of the two is answered, the other is meant.
    on->tell({one.accepted(*on, "y" + base::to_hex(one.notification))});
    now = on->wait("the other's", [&](const seen& s) { return s.has(other.notification, v1::EVENT_ACCEPTED); });
    EXPECT_FALSE(now.has(one.notification, v1::EVENT_RECEIPT));
}

TEST_F(Receipts, FindTheirMessageInEverySpellingOfItsId) {
    struct row {
        std::string answered, reported;
    };
    const std::vector<row> spellings{{"1A2B3C01", "439041025"}, {"439041026", "1A2B3C02"},
                                     {"00ab77", "ab77"},        {"ab78", "AB78"},
                                     {"AB79", "000000AB79"},    {"0xAB80", "43904"},
                                     {"cd01  ", "cd01"},        {"ffffffffffffffffff", "4722366482869645213695"}};
    std::vector<message> told;
    for (std::size_t i = 0; i < spellings.size(); ++i) {
        told.push_back({.campaign = "hold", .phone = fmt::format("+8210100000{:02}", i)});
        const auto accepted = accepted_sms(*on, told.back(), spellings[i].answered);
        const auto report = reported(*on, told.back(), spellings[i].reported);
        if (i % 2 == 0) {
            on->tell({accepted});
            on->report({report});
        } else { // a report may come before the answer
            on->report({report});
            on->tell({accepted});
        }
    }
    const auto now = on->wait("every report", [&](const seen& s) {
        return std::ranges::all_of(told, [&](const auto& m) { return s.has(m.notification, v1::EVENT_RECEIPT); });
    });
    for (std::size_t i = 0; i < spellings.size(); ++i) {
        const auto e = now.of(told[i].notification, v1::EVENT_RECEIPT).at(0);
        EXPECT_EQ(e.gateway_message_id(), spellings[i].answered) << "one part, however it is spelled";
        EXPECT_NE(e.text().find("reported as " + spellings[i].reported), std::string::npos) << e.text();
    }
}

// 10 in decimal is a, and 10 in hexadecimal is 16.
TEST_F(Receipts, AnIdThatExistsAsItIsGivenMeansNoOtherMessage) {
    const message ten{.campaign = "hold", .phone = "+821020000010"};
    const message sixteen{.campaign = "hold", .phone = "+821020000016"};
    on->tell({accepted_sms(*on, ten, "7010"), accepted_sms(*on, sixteen, "28688")}); // 0x7010
    auto of_ten = receipt("7010");                                                   // neither number nor reference
    on->report({of_ten});
    auto now = on->wait("its report", [&](const seen& s) { return s.has(ten.notification, v1::EVENT_RECEIPT); });
    EXPECT_FALSE(now.has(sixteen.notification, v1::EVENT_RECEIPT));
    // With ids and numbers crossed, the report is believed about neither by its id; its number tells the other reading.
    on->report({reported(*on, sixteen, "7010")});
    now = on->wait("the crossed one", [&](const seen& s) { return s.has(sixteen.notification, v1::EVENT_RECEIPT); });
    EXPECT_EQ(now.of(ten.notification, v1::EVENT_RECEIPT).size(), 1U);
}

TEST_F(Receipts, AReportFromAnotherNumberOrWithAnotherReferenceMarksNobody) {
    const message one{.campaign = "hold", .phone = "+821030000001"};
    message two{.campaign = "hold", .phone = "+821030000002"};
    two.notification[0] = static_cast<char>(one.notification[0] + 1);
    const message fence{.campaign = "hold", .phone = "+821030000003"};
    on->tell({accepted_sms(*on, one, "swap-1"), accepted_sms(*on, two, "swap-2"), accepted_sms(*on, fence, "swap-3")});
    on->wait("their being known", [&](const seen&) { return on->knows("swap-1") && on->knows("swap-2"); });
    auto hidden = receipt_for(*on, two, "swap-1"); // its number cannot be read, its reference can
    hidden.clear_destination_hash();
    hidden.set_code("hidden");
    on->report({reported(*on, one, "swap-2"), reported(*on, two, "swap-1"), hidden, receipt("foreign-1")});
    on->wait("orphaned reports", [&](const seen&) {
        return on->orphaned("swap-1") && on->orphaned("swap-2") && on->orphaned("foreign-1");
    });
    on->report({reported(*on, fence, "swap-3")});
    const auto now =
        on->wait("a sound one", [&](const seen& s) { return s.has(fence.notification, v1::EVENT_RECEIPT); });
    EXPECT_FALSE(now.has(one.notification, v1::EVENT_RECEIPT));
    EXPECT_FALSE(now.has(two.notification, v1::EVENT_RECEIPT));
}

// As long as two processes have different lists of keys, or after the old one was taken out.
TEST_F(Receipts, ANumberUnderAnotherKeySpeaksNeitherForNorAgainst) {
    const message one{.campaign = "hold", .phone = "+821035000001"};
    on->tell({accepted_sms(*on, one, "rotated-1")});
    auto other = reported(*on, one, "rotated-1");
    other.set_destination_hash(correlation::number_hash(crypto::key_ring::random().destinations(), one.phone));
    on->report({other});
    on->wait("its report", [&](const seen& s) { return s.has(one.notification, v1::EVENT_RECEIPT); });
}

TEST_F(Receipts, WithoutNumberAndReferenceAnotherSpellingIsBelievedOnlyIfItMeansOneMessage) {
    const message alone{.campaign = "hold", .phone = "+821040000001"};
    const message one{.campaign = "hold", .phone = "+821040000002"},
        other{.campaign = "hold", .phone = "+821040000003"};
    on->tell({accepted_sms(*on, alone, "e0001"), accepted_sms(*on, one, "0F0002"), accepted_sms(*on, other, "f0002")});
    on->report({receipt("917505"), receipt("983042")}); // 0xe0001, 0xf0002
    const auto now = on->wait("the one", [&](const seen& s) { return s.has(alone.notification, v1::EVENT_RECEIPT); });
    EXPECT_TRUE(on->orphaned("983042"));
    EXPECT_FALSE(now.has(one.notification, v1::EVENT_RECEIPT));
    EXPECT_FALSE(now.has(other.notification, v1::EVENT_RECEIPT));
}

TEST_F(Receipts, ANumberAloneSettlesNothing) {
    const message shared{.campaign = "hold", .phone = "+821050000001"};
    const message unreferred{.campaign = "hold", .phone = "+821050000002"};
    const message late{.campaign = "hold", .phone = "+821050000003"};
    const message fence{.campaign = "hold", .phone = "+821050000004"};
    auto elsewhere = shared.event(*on, v1::EVENT_IN_DOUBT);
    elsewhere.set_gateway("smsc-shared"); // which is not exclusive
    on->tell({elsewhere, unreferred.event(*on, v1::EVENT_IN_DOUBT), late.event(*on, v1::EVENT_IN_DOUBT),
              fence.event(*on, v1::EVENT_IN_DOUBT)});
    const auto id = [](const message& m) { return "n" + base::to_hex(m.notification); };
    auto of_shared = receipt_for(*on, shared, id(shared));
    of_shared.set_gateway("smsc-shared");
    auto too_late = receipt_for(*on, late, id(late));
    too_late.set_time_us(too_late.time_us() + 4 * 24 * 3'600'000'000LL);
    on->report({of_shared, reported(*on, unreferred, id(unreferred)), too_late});
    on->wait("orphaned reports", [&](const seen&) {
        return on->orphaned(id(shared)) && on->orphaned(id(unreferred)) && on->orphaned(id(late));
    });
    on->report({receipt_for(*on, fence, id(fence))});
    const auto now =
        on->wait("an inference", [&](const seen& s) { return s.has(fence.notification, v1::EVENT_ACCEPTED); });
    for (const auto* m : std::vector<const message*>{&shared, &unreferred, &late}) {
        EXPECT_FALSE(now.has(m->notification, v1::EVENT_RECEIPT));
    }
}

TEST_F(Receipts, DoNotTakeAReceiptThatAMessageOfUnreadableNumberMayMean) {
    const message readable{.campaign = "hold", .phone = "+821000000003"};
    message unreadable{.campaign = "hold", .phone = "+821000000003"};
    unreadable.notification.replace(0, 2, readable.notification, 0, 2); // the same reference
    unreadable.key = crypto::campaign_key::random();
    message another{.campaign = "hold", .phone = "+821000000003"}; // the same number, another reference
    another.notification[0] = static_cast<char>(readable.notification[0] + 1);
    on->tell({readable.event(*on, v1::EVENT_IN_DOUBT), unreadable.event(*on, v1::EVENT_IN_DOUBT),
              another.event(*on, v1::EVENT_IN_DOUBT)});
    const auto id = "x" + base::to_hex(readable.notification);
    on->report({receipt_for(*on, readable, id)});
    const message fence{.campaign = "hold", .phone = "+821000000004"}; // inferred after it
    on->wait("the doubts and the orphaned receipt", [&](const seen& s) {
        return on->orphaned(id) &&
               std::ranges::all_of(std::vector<const message*>{&readable, &unreadable, &another},
                                   [&](const auto* m) { return s.has(m->notification, v1::EVENT_UNRESOLVED); });
    });
    using searched = stage::searched;
    EXPECT_EQ(on->evidence("hold", readable.notification),
              (searched{.comparable = true, .fitting = 1, .candidates = 2, .others = 0}));
    EXPECT_EQ(on->evidence("hold", unreadable.notification), searched{});
    EXPECT_EQ(on->evidence("hold", another.notification),
              (searched{.comparable = true, .fitting = 0, .candidates = 0, .others = 1}));
    on->tell({fence.event(*on, v1::EVENT_IN_DOUBT)});
    on->report({receipt_for(*on, fence, "x" + base::to_hex(fence.notification))});
    auto now = on->wait("an inference", [&](const seen& s) { return s.has(fence.notification, v1::EVENT_ACCEPTED); });
    EXPECT_FALSE(now.has(readable.notification, v1::EVENT_ACCEPTED));
    on->tell({unreadable.accepted(*on, "y" + base::to_hex(unreadable.notification))});
    on->wait("what only it can mean now",
             [&](const seen& s) { return s.has(readable.notification, v1::EVENT_ACCEPTED); });
}

TEST_F(Receipts, AReceiptOfAKnownMessageIsNoEvidenceForAnother) {
    const message told{.campaign = "hold", .phone = "+821000000005"};
    const message doubted{.campaign = "hold", .phone = "+821000000005"};
    const message fence{.campaign = "hold", .phone = "+821000000006"};
    const auto id = "z" + base::to_hex(told.notification);
    on->tell({told.accepted(*on, id)});
    on->report({receipt(id)});
    on->wait("that its message is known", [&](const seen& s) { return s.has(told.notification, v1::EVENT_RECEIPT); });
    auto left = receipt_for(*on, told, id);
    left.clear_user_message_reference(); // it could be about any message to this number
    on->leave_orphaned(left);
    on->tell({doubted.event(*on, v1::EVENT_IN_DOUBT), fence.event(*on, v1::EVENT_IN_DOUBT)});
    on->report({receipt_for(*on, fence, "z" + base::to_hex(fence.notification))}); // inferred after the other could be
    const auto now =
        on->wait("an inference", [&](const seen& s) { return s.has(fence.notification, v1::EVENT_ACCEPTED); });
    EXPECT_FALSE(now.has(doubted.notification, v1::EVENT_ACCEPTED));
}

TEST_F(Receipts, PassOverWhatCannotBeRead) {
    const message behind{"hold"};
    const auto partition = base::partition_of(behind.notification, stage::partitions);
    const auto before = on->look().dead;
    on->put({{on->at(wire::events, partition), "no batch"},
             {on->at(wire::gateway_receipts, 0), "no receipt"},
             {on->at(wire::gateway_receipts, 0), v1::GatewayReceipt{}.SerializeAsString()}});
    on->tell({behind.event(*on, v1::EVENT_IN_DOUBT)});
    on->wait("dead letters and what stood behind them",
             [&](const seen& s) { return s.dead == before + 3 && s.has(behind.notification, v1::EVENT_UNRESOLVED); });
}

} // namespace
} // namespace semel::receipts::testing
