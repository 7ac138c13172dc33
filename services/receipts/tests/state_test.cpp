// What receipts keeps of its open doubts in Kafka, what that costs, and what it reads of it.

#include "messages.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace semel::receipts::testing {
namespace {

constexpr auto open_doubts = "semel_receipts_open_doubts";
constexpr auto oldest_doubt = "semel_receipts_oldest_doubt_timestamp_seconds";
constexpr auto read_back = "semel_receipts_state_records_read_total";
constexpr auto failures = "semel_receipts_transactions_failed_total";

std::vector<v1::Event> all_of(const stage& on, const std::vector<message>& messages, v1::EventKind kind) {
    std::vector<v1::Event> out;
    for (const auto& m : messages) {
        out.push_back(m.event(on, kind));
    }
    return out;
}

std::vector<message> several(std::size_t n, const std::string& campaign) {
    std::vector<message> all;
    while (all.size() < n) {
        all.push_back({campaign});
    }
    return all;
}

/// Its resend is larger than the topic takes: every transaction that holds it is aborted.
v1::Event doubt_of_unwritable_resend(const stage& on, const message& m) {
    auto e = m.event(on, v1::EVENT_IN_DOUBT);
    v1::Dispatch d;
    EXPECT_TRUE(d.ParseFromString(e.dispatch()));
    d.set_sealed(crypto::random_bytes(2 * stage::most_of_a_resend));
    e.set_dispatch(d.SerializeAsString());
    return e;
}

TEST(ReceiptsState, AnAbortedTransactionIsUndoneAndNothingIsReadBack) {
    stage on;
    const auto held = several(300, "hold-30");
    const message stuck{"resend"}, heard{"hold-30"};
    on.start("receipts");
    on.tell(all_of(on, held, v1::EVENT_IN_DOUBT));
    on.wait("the doubts", [&](const seen&) { return on.metric("receipts", open_doubts) == 300; });
    const auto now_s = static_cast<double>(base::to_us(base::now())) / 1e6;
    EXPECT_NEAR(on.metric("receipts", oldest_doubt, "in_doubt"), now_s, 600);
    EXPECT_EQ(on.metric("receipts", oldest_doubt, "unresolved"), 0) << "there is none";
    const auto before = on.metric("receipts", read_back);
    on.tell({doubt_of_unwritable_resend(on, stuck)});
    on.wait("aborted transactions", [&](const seen&) { return on.metric("receipts", failures) >= 3; });
    EXPECT_EQ(on.metric("receipts", read_back), before);
    // What is read meanwhile belongs to transactions of its own or is read once more: nothing is lost, nothing twice.
    on.tell({heard.event(on, v1::EVENT_IN_DOUBT)});
    on.tell({stuck.accepted(on, "after-all")});
    on.wait("the doubts, and one more", [&](const seen&) { return on.metric("receipts", open_doubts) == 301; });
    on.kill("receipts");
    on.start("receipts");
    on.wait("the same doubts", [&](const seen&) { return on.metric("receipts", open_doubts) == 301; });
    auto now = on.look();
    EXPECT_FALSE(now.has(stuck.notification, v1::EVENT_RESENT)) << "told in transactions that were aborted";
    std::vector<v1::Event> answers{heard.accepted(on, "late")};
    for (const auto& m : held) {
        answers.push_back(m.accepted(on, base::to_hex(m.notification)));
    }
    on.tell(answers);
    on.wait("an end of all doubts", [&](const seen&) { return on.metric("receipts", open_doubts) == 0; });
    EXPECT_EQ(on.metric("receipts", oldest_doubt), 0) << "no series of what is over";
    EXPECT_EQ(on.stop("receipts"), 0);
}

std::vector<v1::Event> answers_of(const stage& on, const std::vector<message>& messages) {
    std::vector<v1::Event> out;
    for (const auto& m : messages) {
        out.push_back(m.accepted(on, base::to_hex(m.notification)));
    }
    return out;
}

TEST(ReceiptsState, WhatIsAnsweredOnItsLiveConnectionStandsInNoRecord) {
    stage on{60s, 60s};
    const auto slow = several(300, "hold");
    on.start("receipts");
    on.tell(all_of(on, slow, v1::EVENT_AWAITING));
    on.wait("what is awaited", [&](const seen&) { return on.metric("receipts", open_doubts) == 300; });
    on.tell(answers_of(on, slow));
    on.wait("every answer", [&](const seen&) { return on.metric("receipts", open_doubts) == 0; });
    const auto [records, bytes] = on.size_of(wire::doubts);
    const auto events = on.size_of(wire::events);
    RecordProperty("state_records", static_cast<int>(records));
    fmt::print("300 messages that are answered late: {} records in doubts, {} bytes; {} in events, {} bytes\n", records,
               bytes, events.first, events.second);
    EXPECT_EQ(records, 0U);
    EXPECT_EQ(on.stop("receipts"), 0);
}

TEST(ReceiptsState, WhatStandsInNoRecordIsTakenUpFromItsEvent) {
    stage on{60s, 60s};
    const auto slow = several(200, "hold-30"), quick = several(100, "hold-30"), lost = several(20, "resend");
    on.start("receipts");
    on.tell(all_of(on, slow, v1::EVENT_AWAITING));
    on.tell(all_of(on, quick, v1::EVENT_AWAITING));
    on.tell(all_of(on, lost, v1::EVENT_AWAITING));
    on.tell(answers_of(on, quick));
    on.wait("what is awaited", [&](const seen&) { return on.metric("receipts", open_doubts) == 220; });
    on.kill("receipts");
    on.start("receipts");
    on.wait("the same", [&](const seen&) { return on.metric("receipts", open_doubts) == 220; });
    on.tell(all_of(on, lost, v1::EVENT_IN_DOUBT)); // their connections ended
    on.tell(answers_of(on, slow));
    auto now = on.wait("their resends", [&](const seen& s) {
        return std::ranges::all_of(lost, [&](const auto& m) { return s.has(m.notification, v1::EVENT_RESENT); });
    });
    on.kill("receipts");
    on.start("receipts");
    on.wait("what is left", [&](const seen&) { return on.metric("receipts", open_doubts) == 20; });
    now = on.look();
    for (const auto& m : lost) {
        EXPECT_EQ(now.resends_of(m.notification), 1U);
    }
    for (const auto& m : slow) {
        EXPECT_EQ(now.resends_of(m.notification), 0U);
    }
    EXPECT_EQ(on.stop("receipts"), 0);
}

TEST(ReceiptsState, WhatWaitsForLongIsWritten) {
    stage on{60s};
    const auto slow = several(40, "hold");
    on.start("receipts");
    on.tell(all_of(on, slow, v1::EVENT_AWAITING));
    on.wait("a record of each", [&](const seen&) { return on.size_of(wire::doubts).first >= 40; });
    on.kill("receipts");
    on.start("receipts");
    on.wait("the same", [&](const seen&) { return on.metric("receipts", open_doubts) == 40; });
    on.tell(answers_of(on, slow));
    on.wait("every answer", [&](const seen&) { return on.metric("receipts", open_doubts) == 0; });
    EXPECT_EQ(on.stop("receipts"), 0);
}

} // namespace
} // namespace semel::receipts::testing
