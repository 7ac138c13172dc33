#include <base/bytes.hpp>

#include <gtest/gtest.h>
#include <sms/core/addressing.hpp>
#include <sms/core/classify.hpp>
#include <sms/core/session.hpp>

#include <set>

namespace semel::sms {
namespace {

using kind = delivery::verdict::kind;
using namespace std::chrono_literals;
using phase = session::phase;

constexpr session::time_point t0{};

std::vector<pdu> sent(session& s) {
    framer f;
    f.feed(s.take_output());
    std::vector<pdu> out;
    while (const auto frame = f.next()) {
        out.push_back(decode(*frame).value());
    }
    return out;
}

void receive(session& s, body content, std::uint32_t sequence, std::uint32_t status = 0, session::time_point now = t0) {
    std::string bytes;
    encode(bytes, {.status = status, .sequence = sequence, .content = std::move(content)});
    s.feed(bytes, now);
}

message a_message() {
    message m;
    m.destination = "821000000000";
    m.short_message = "hello";
    return m;
}

session bound(unsigned window = 3) {
    session s{{.system_id = "semel", .password = "secret", .system_type = {}, .window = window}, t0};
    const auto first = sent(s);
    EXPECT_EQ(first.size(), 1U);
    EXPECT_EQ(std::get<bind>(first[0].content).system_id, "semel");
    EXPECT_EQ(s.free_slots(), 0U) << "nothing may be sent before the bind is answered";
    receive(s, bind_resp{command::bind_transceiver, "centre"}, first[0].sequence);
    EXPECT_EQ(s.where(), phase::bound);
    return s;
}

delivery::verdict only_answer(session& s, std::uint32_t sequence) {
    const auto events = s.take_events();
    EXPECT_EQ(events.size(), 1U);
    const auto& a = std::get<session::answered>(events.at(0));
    EXPECT_EQ(a.sequence, sequence);
    return a.outcome;
}

TEST(Session, MatchesAnswersBySequence) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(2));
    const auto a = s.submit(a_message(), t0);
    const auto b = s.submit(a_message(), t0);
    EXPECT_EQ(s.free_slots(), 1U);
    receive(s, message_resp{command::submit_sm, "second"}, b);
    EXPECT_EQ(only_answer(s, b).message_id, "second");
    receive(s, message_resp{command::submit_sm, ""}, a, status::throttled);
    EXPECT_EQ(only_answer(s, a).what, kind::throttled);
    EXPECT_EQ(s.free_slots(), 3U);
}

TEST(Session, KeepsItsWindow) {
    auto s = bound(2);
    EXPECT_FALSE(s.reserve(3));
    EXPECT_TRUE(s.reserve(2));
    EXPECT_FALSE(s.reserve(1));
    s.unreserve(1);
    EXPECT_TRUE(s.reserve(1));
}

TEST(Session, RefusedBindsSayWhoMustAct) {
    for (const auto& [code, what] : {std::pair{status::invalid_password, kind::lane_stop},
                                     {status::invalid_system_id, kind::lane_stop},
                                     {status::bind_failed, kind::lane_stop},
                                     {status::already_bound, kind::transient},
                                     {status::throttled, kind::transient}}) {
        session s{{.system_id = "semel", .password = "x", .system_type = {}}, t0};
        receive(s, bind_resp{command::bind_transceiver, ""}, 1, code);
        EXPECT_EQ(s.where(), phase::closed);
        EXPECT_EQ(s.failure()->what, what) << code;
    }
}

TEST(Session, WhatLeftIsInDoubtAndWhatDidNotIsCertain) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(3));
    const auto a = s.submit(a_message(), t0);
    const auto first = s.take_output().size();
    const auto b = s.submit(a_message(), t0);
    const auto second = s.take_output().size();
    const auto c = s.submit(a_message(), t0); // never taken
    EXPECT_EQ(first, second);
    s.lost("reset", 1); // b's last byte did not leave
    std::map<std::uint32_t, kind> outcomes;
    for (const auto& e : s.take_events()) {
        outcomes[std::get<session::answered>(e).sequence] = std::get<session::answered>(e).outcome.what;
    }
    EXPECT_EQ(outcomes,
              (std::map<std::uint32_t, kind>{{a, kind::unknown}, {b, kind::transient}, {c, kind::transient}}));
    EXPECT_EQ(s.where(), phase::closed);
    EXPECT_EQ(s.free_slots(), 0U);
}

TEST(Session, AnAnswerThatDoesNotComeIsDoubtAndALateOneChangesNothing) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(1));
    const auto a = s.submit(a_message(), t0);
    s.tick(t0 + 9999ms);
    EXPECT_TRUE(s.take_events().empty());
    s.tick(t0 + 10s);
    EXPECT_EQ(only_answer(s, a).what, kind::unknown);
    receive(s, message_resp{command::submit_sm, "late"}, a);
    EXPECT_TRUE(s.take_events().empty());
    EXPECT_EQ(s.where(), phase::bound);
}

TEST(Session, AsksWhetherALineThatIsSilentLives) {
    auto s = bound();
    s.tick(t0 + 29s);
    EXPECT_FALSE(s.has_output());
    s.tick(t0 + 30s);
    const auto asked = sent(s);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<enquire_link>(asked[0].content));
    receive(s, enquire_link_resp{}, asked[0].sequence, 0, t0 + 31s);
    s.tick(t0 + 45s);
    EXPECT_EQ(s.where(), phase::bound);
    s.tick(t0 + 61s);
    EXPECT_EQ(sent(s).size(), 1U);
    s.tick(t0 + 71s);
    EXPECT_EQ(s.where(), phase::closed);
}

TEST(Session, GivesUpABindWithoutAnswer) {
    session s{{.system_id = "semel", .password = "x", .system_type = {}}, t0};
    s.tick(t0 + 10s);
    EXPECT_EQ(s.where(), phase::closed);
    EXPECT_EQ(s.failure()->what, kind::transient);
}

TEST(Session, AnswersWhatThePeerAsks) {
    auto s = bound();
    receive(s, enquire_link{}, 77);
    receive(s, unknown_command{0x03}, 78);
    s.feed(*base::from_hex("00000011"
                           "00000005"
                           "00000000"
                           "0000004f"
                           "ff"),
           t0); // a deliver_sm that ends too soon
    const auto out = sent(s);
    ASSERT_EQ(out.size(), 3U);
    EXPECT_TRUE(std::holds_alternative<enquire_link_resp>(out[0].content));
    EXPECT_EQ(out[0].sequence, 77U);
    EXPECT_TRUE(std::holds_alternative<generic_nack>(out[1].content));
    EXPECT_EQ(out[1].status, status::invalid_command);
    EXPECT_TRUE(std::holds_alternative<generic_nack>(out[2].content));
    EXPECT_EQ(s.where(), phase::bound);
}

TEST(Session, HandsADeliveryOverAndAnswersWhenTold) {
    auto s = bound();
    auto m = a_message();
    m.kind = command::deliver_sm;
    receive(s, m, 5);
    EXPECT_FALSE(s.has_output());
    const auto events = s.take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<session::arrived>(events[0]).sequence, 5U);
    s.acknowledge(5, status::receiver_temporary);
    const auto out = sent(s);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].status, status::receiver_temporary);
    EXPECT_EQ(std::get<message_resp>(out[0].content).kind, command::deliver_sm);
}

TEST(Session, TakesADeliveryAsDataSmAndPassesOverAnAlert) {
    auto s = bound();
    message m;
    m.kind = command::data_sm;
    m.source = "821000000001";
    m.esm_class = 0x04;
    m.optional = {{tag::receipted_message_id, "7"}};
    receive(s, m, 6);
    receive(s, unknown_command{static_cast<std::uint32_t>(command::alert_notification)}, 7);
    EXPECT_FALSE(s.has_output()) << "an alert has no answer";
    const auto events = s.take_events();
    ASSERT_EQ(events.size(), 1U);
    const auto& arrived = std::get<session::arrived>(events[0]);
    EXPECT_EQ(arrived.message.source, m.source);
    EXPECT_EQ(arrived.message.optional, m.optional);
    s.acknowledge(6, status::ok, arrived.message.kind);
    const auto out = sent(s);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(std::get<message_resp>(out[0].content).kind, command::data_sm);
}

TEST(Session, AnAcceptanceWhoseIdCannotBeReadIsAnAcceptance) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(1));
    const auto a = s.submit(a_message(), t0);
    auto bytes = *base::from_hex("00000013"
                                 "80000004"
                                 "00000000"
                                 "00000000"
                                 "616263"); // an id without its NUL
    bytes[15] = static_cast<char>(a);
    s.feed(bytes, t0);
    const auto v = only_answer(s, a);
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.message_id, "");
}

TEST(Session, AGenericNackForALiveSequenceIsItsAnswer) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(2));
    const auto a = s.submit(a_message(), t0);
    receive(s, generic_nack{}, a, status::invalid_command);
    EXPECT_EQ(only_answer(s, a).what, kind::lane_stop);
    const auto b = s.submit(a_message(), t0);
    receive(s, generic_nack{}, b, 0);
    EXPECT_EQ(only_answer(s, b).what, kind::unknown);
}

TEST(Session, ThePeersUnbindStopsNewMessagesAndLosesNoAnswer) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(1));
    const auto a = s.submit(a_message(), t0);
    receive(s, unbind{}, 9);
    EXPECT_EQ(s.free_slots(), 0U);
    receive(s, message_resp{command::submit_sm, "x"}, a);
    EXPECT_EQ(only_answer(s, a).what, kind::accepted);
}

TEST(Session, ClosesOnALostFrame) {
    auto s = bound();
    ASSERT_TRUE(s.reserve(1));
    const auto a = s.submit(a_message(), t0);
    (void)s.take_output();
    s.feed(*base::from_hex("7fffffff000000150000000000000001"), t0);
    EXPECT_EQ(s.where(), phase::closed);
    s.lost("given up", 0);
    EXPECT_EQ(only_answer(s, a).what, kind::unknown);
}

// Every status that SMPP names, a second time.
TEST(Classify, FollowsTheTable) {
    const std::pair<kind, std::vector<std::uint32_t>> table[] = {
        {kind::accepted, {0x00}},
        {kind::throttled, {0x14, 0x58}},
        {kind::unknown, {0x08, 0xFF}},
        {kind::transient, {0x45, 0x64, 0xFE}},
        {kind::permanent, {0x0B, 0x50, 0x51, 0x65, 0x66}},
        {kind::lane_stop, {0x03, 0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x53}},
        {kind::ambiguous, {0x01, 0x02, 0x06, 0x07, 0x0A, 0x0C, 0x11, 0x13, 0x15, 0x33, 0x34, 0x40, 0x42, 0x43,
                           0x44, 0x48, 0x49, 0x54, 0x55, 0x61, 0x62, 0x63, 0x67, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4}},
    };
    std::set<std::uint32_t> named;
    for (const auto& [what, codes] : table) {
        for (const auto code : codes) {
            EXPECT_EQ(classify_submit(code, "id").what, what) << status_code(code);
            EXPECT_NE(classify_submit(code, "id").text, "refused") << status_code(code);
            named.insert(code);
        }
    }
    for (std::uint32_t code = 0; code < 0x600; ++code) { // reserved and vendors' own: about one number, or about us
        if (!named.contains(code)) {
            EXPECT_EQ(classify_submit(code, "id").what, kind::ambiguous) << status_code(code);
            EXPECT_EQ(classify_submit(code, "id").text, code < 0x400 ? "refused" : "a status of the vendor's own");
        }
    }
    EXPECT_EQ(classify_submit(0x58, "").code, "0x00000058");
    EXPECT_TRUE(classify_submit(0x58, "").retry_after);
}

TEST(Classify, ABindStopsTheLaneOnlyForWhatAnOperatorMends) {
    const std::set<std::uint32_t> mended{0x01, 0x02, 0x03, 0x0D, 0x0E, 0x0F, 0x53};
    for (std::uint32_t code = 1; code < 0x600; ++code) {
        EXPECT_EQ(classify_bind(code).what, mended.contains(code) ? kind::lane_stop : kind::transient)
            << status_code(code);
    }
}

TEST(Classify, PartsAreOneKey) {
    const auto ok1 = classify_submit(0, "a");
    const auto ok2 = classify_submit(0, "b");
    const auto slow = classify_submit(0x58, "");
    const auto no = classify_submit(0x0B, "");
    const auto doubt = classify_submit(0x08, "");
    const auto whole = combine(std::vector{ok1, ok2});
    EXPECT_EQ(whole.what, kind::accepted);
    EXPECT_EQ(whole.message_id, "a,b");
    EXPECT_EQ(combine(std::vector{ok1, doubt}).what, kind::unknown);
    EXPECT_EQ(combine(std::vector{no, doubt}).what, kind::unknown);
    EXPECT_EQ(combine(std::vector{ok1, no}).what, kind::unknown) << "the person has a fragment";
    EXPECT_EQ(combine(std::vector{ok1, no}).code, "0x0000000B");
    EXPECT_EQ(combine(std::vector{ok1, slow}).what, kind::unknown);
    EXPECT_EQ(combine(std::vector{slow, slow}).what, kind::throttled);
    EXPECT_EQ(combine(std::vector{slow, no}).what, kind::permanent);
}

TEST(Addressing, KnowsNumbersFromNames) {
    EXPECT_EQ(destination("+82 10-0000-0000")->digits, "821000000000");
    EXPECT_EQ(destination("+821000000000")->plan, (numbering{1, 1}));
    EXPECT_EQ(destination("01000000000")->plan, (numbering{0, 1}));
    for (const std::string_view bad : {"", "+", "12", "+82abc", "+123456789012345678901", "+82;ext=1"}) {
        ASSERT_FALSE(destination(bad)) << bad;
        EXPECT_EQ(destination(bad).error().what(), base::fault::kind::permanent);
    }
    EXPECT_EQ(source("15771577")->plan, (numbering{0, 1}));
    EXPECT_EQ(source("+8215771577")->plan, (numbering{1, 1}));
    EXPECT_EQ(source("Shop")->plan, (numbering{5, 0}));
    EXPECT_FALSE(source("twelve chars"));
    EXPECT_FALSE(source(""));
}

TEST(Addressing, WritesTheDeadlineInUtc) {
    EXPECT_EQ(validity_period(base::from_rfc3339("2026-11-24T12:13:45.9+09:00")), "261124031345000+");
    EXPECT_EQ(validity_period(std::nullopt), "");
}

} // namespace
} // namespace semel::sms
