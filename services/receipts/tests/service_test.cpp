// Receipts against a real Kafka and PostgreSQL, as processes: policies, receipts in every order, inference, and kills.

#include "stage.hpp"

#include <receipts/core/evidence.hpp>

#include <random>

namespace semel::receipts::testing {
namespace {

std::string new_notification() {
    return crypto::random_bytes(32);
}

struct message {
    std::string campaign;
    std::string notification = new_notification();
    std::string phone = "+821000000000";
    std::optional<crypto::key256> key = {}; // of its campaign, when receipts does not have it

    v1::Event event(const stage& on, v1::EventKind kind, std::uint32_t attempt = 1) const {
        v1::Event e;
        e.set_id(wire::event_id(kind, notification, attempt));
        e.set_kind(kind);
        e.set_campaign_id(campaign);
        e.set_notification(notification);
        e.set_channel(v1::CHANNEL_SMS);
        e.set_attempt(attempt);
        e.set_time_us(base::to_us(base::now()));
        e.set_gateway("smsc-a");
        if (kind == v1::EVENT_IN_DOUBT || kind == v1::EVENT_AWAITING) {
            v1::Dispatch d;
            d.set_campaign_id(campaign);
            d.set_notification(notification);
            d.set_channel(v1::CHANNEL_SMS);
            d.set_attempt(attempt);
            v1::Delivery person;
            person.mutable_address()->set_canonical(phone);
            d.set_sealed(wire::seal_delivery(key.value_or(on.key()), notification, person));
            e.set_dispatch(d.SerializeAsString());
            e.set_parts(1);
        }
        return e;
    }
    v1::Event accepted(const stage& on, std::string id, std::uint32_t attempt = 1) const {
        auto e = event(on, v1::EVENT_ACCEPTED, attempt);
        e.set_gateway_message_id(std::move(id));
        return e;
    }
};

v1::GatewayReceipt receipt(std::string id, v1::ReceiptState state = v1::RECEIPT_DELIVERED, std::string code = "000") {
    v1::GatewayReceipt r;
    r.set_gateway("smsc-a");
    r.set_channel(v1::CHANNEL_SMS);
    r.set_message_id(std::move(id));
    r.set_state(state);
    r.set_code(std::move(code));
    r.set_time_us(base::to_us(base::now()));
    return r;
}

v1::GatewayReceipt receipt_for(const stage& on, const message& m, std::string id) {
    auto r = receipt(std::move(id));
    const auto hash = crypto::keyed_hash(on.key(), "sms-destination", m.phone);
    r.set_destination_hash(std::string{base::as_view(hash)});
    r.set_user_message_reference(static_cast<std::uint32_t>(static_cast<unsigned char>(m.notification[0]) << 8U |
                                                            static_cast<unsigned char>(m.notification[1])));
    return r;
}

v1::Event decision_of(const message& m, const stage& on, std::string code) {
    auto e = m.event(on, v1::EVENT_RESOLVED);
    e.set_code(std::move(code));
    e.set_actor("alice");
    return e;
}

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
    on->wait("parked receipts",
             [&](const seen&) { return on->parked(id(after)) && on->parked("nobody's-" + id(after)); });
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

TEST_F(Receipts, DoNotTakeAReceiptThatAMessageOfUnreadableNumberMayMean) {
    const message readable{.campaign = "hold", .phone = "+821000000003"};
    message unreadable{.campaign = "hold", .phone = "+821000000003"};
    unreadable.notification.replace(0, 2, readable.notification, 0, 2); // the same reference
    unreadable.key = crypto::key256::random();
    message another{.campaign = "hold", .phone = "+821000000003"}; // the same number, another reference
    another.notification[0] = static_cast<char>(readable.notification[0] + 1);
    on->tell({readable.event(*on, v1::EVENT_IN_DOUBT), unreadable.event(*on, v1::EVENT_IN_DOUBT),
              another.event(*on, v1::EVENT_IN_DOUBT)});
    const auto id = "x" + base::to_hex(readable.notification);
    on->report({receipt_for(*on, readable, id)});
    const message fence{.campaign = "hold", .phone = "+821000000004"}; // inferred after it
    on->wait("the doubts and the parked receipt", [&](const seen& s) {
        return on->parked(id) &&
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
    on->leave_parked(left);
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

TEST(ReceiptsKilled, GoOnWithoutResendingOrForgettingAnything) {
    stage on{60s};
    on.start("receipts");
    on.start("receipts-2");
    std::mt19937 random{20261124};
    std::vector<message> doubtful, reported, answered;
    constexpr int rounds = 7;
    for (int round = 0; round < rounds; ++round) {
        const auto decided_before = doubtful.size();
        answered.push_back({"resend-30"}); // its answer comes before its time
        on.tell({answered.back().event(on, v1::EVENT_IN_DOUBT)});
        for (int i = 0; i < 6; ++i) {
            doubtful.push_back({"resend"});
            reported.push_back({"hold"});
            const auto id = base::to_hex(reported.back().notification);
            on.tell({doubtful.back().event(on, v1::EVENT_IN_DOUBT)});
            const auto accepted = reported.back().accepted(on, id);
            if (i % 2 == 0) {
                on.report({receipt(id)});
                on.tell({accepted});
            } else {
                on.tell({accepted});
                on.report({receipt(id)});
            }
        }
        on.tell({answered.back().accepted(on, "late-" + base::to_hex(answered.back().notification))});
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
