// Whom a follow-up tells, and with which rows.

#include <base/bytes.hpp>
#include <notice/content.hpp>
#include <wire/identity.hpp>

#include <api/core/follow_up.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace semel::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int outstanding = 0, unresolved = 3, failed = 4, accepted = 5;

v1::Campaign a_parent() {
    v1::Campaign c;
    c.set_id("c-parent");
    c.set_planned_at_us(42);
    c.add_channels(v1::CHANNEL_EMAIL);
    c.add_channels(v1::CHANNEL_SMS);
    c.add_segment_names("minor");
    c.add_segment_names("entrance_code");
    return c;
}

base::notification_id message(char name) {
    base::byte_array<32> bytes{};
    bytes.fill(static_cast<std::uint8_t>(name));
    return base::notification_id{bytes};
}
std::string link(v1::Channel channel, int line, char name) {
    return fmt::format("{} {} {}", static_cast<int>(channel), line, base::to_hex(message(name)));
}
std::string mail(int line, char name) {
    return link(v1::CHANNEL_EMAIL, line, name);
}

struct a_row {
    follow_up_rows::row is;

    a_row(const std::string& id, std::string line) {
        is.ref = ("ref of " + id + std::string(16, '.')).substr(0, 16);
        is.wave = 1;
        is.line = std::move(line);
        is.recipient.set_recipient_id(id);
        is.recipient.set_locale("ko");
    }
    a_row& wave(std::uint32_t number) {
        is.wave = number;
        return *this;
    }
    a_row& at(v1::Channel channel, const std::string& given, const std::string& canonical, std::string links = {}) {
        auto& a = *is.recipient.add_addresses();
        a.set_channel(channel);
        a.set_given(given);
        a.set_canonical(canonical);
        a.set_transport(channel == v1::CHANNEL_PUSH ? "fcm" : "");
        if (!links.empty()) {
            is.links += (is.links.empty() ? "" : ";") + links;
        }
        return *this;
    }
    a_row& email(const std::string& address, std::string links = {}) {
        return at(v1::CHANNEL_EMAIL, address, address, std::move(links));
    }
    a_row& segments(std::uint32_t bits) {
        is.recipient.set_segments(bits);
        return *this;
    }
};

struct frozen {
    std::vector<std::string> lines;
    std::uint64_t people = 0, rows = 0;
};

frozen freeze(std::vector<a_row> rows, follow_up_terms terms = {}) {
    follow_up_rows all{{.parent = a_parent(),
                        .sender = "notice@shop.example.com",
                        .segments = {"entrance_code", "other"},
                        .slots = {"name", "order_count"},
                        .terms = std::move(terms)}};
    for (auto& row : rows) {
        const auto taken = all.take(std::move(row.is));
        EXPECT_TRUE(taken) << taken.error().why();
    }
    all.finish();
    frozen out{.lines = {}, .people = all.people(), .rows = all.rows()};
    std::istringstream text{all.lines()};
    for (std::string line; std::getline(text, line);) {
        out.lines.push_back(line);
    }
    return out;
}

/// The ids, in order, each as often as it has lines.
std::vector<std::string> ids(const frozen& f) {
    std::vector<std::string> out;
    for (const auto& line : f.lines) {
        const auto from = std::string_view{R"({"recipient_id":")"}.size();
        out.push_back(line.substr(from, line.find('"', from) - from));
    }
    return out;
}

const std::vector<a_row> five = {
    a_row{"a", "reached"}.email("a@example.com", mail(accepted, 'a')),
    a_row{"b", "failed"}.email("b@example.com", mail(failed, 'b')),
    a_row{"c", "in_doubt"}.email("c@example.com", mail(unresolved, 'c')),
    a_row{"d", "unreachable"},
    a_row{"e", "outstanding"}.email("e@example.com", mail(outstanding, 'e')),
};

TEST(FollowUp, TellsThePartThatIsMeantByItsOutcome) {
    EXPECT_THAT(ids(freeze(five)), ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_THAT(ids(freeze(five, {.outcome = outcome::reached})), ElementsAre("a"));
    EXPECT_THAT(ids(freeze(five, {.outcome = outcome::failed})), ElementsAre("b"));
    EXPECT_THAT(ids(freeze(five, {.outcome = outcome::in_doubt})), ElementsAre("c"));
    EXPECT_THAT(ids(freeze(five, {.outcome = outcome::unreachable})), ElementsAre("d"));
}

TEST(FollowUp, AnOutcomeOnOneChannelCountsThatChannelsMessagesAlone) {
    const std::vector<a_row> two = {
        a_row{"both", "reached"}
            .email("k@example.com", mail(failed, 'k'))
            .at(v1::CHANNEL_SMS, "010", "+8210", link(v1::CHANNEL_SMS, accepted, 's')),
        a_row{"mail", "reached"}.email("m@example.com", mail(accepted, 'm')),
    };
    const auto on = [&](outcome what, base::channel channel) {
        return ids(freeze(two, {.outcome = what, .channel = channel}));
    };
    EXPECT_THAT(on(outcome::failed, base::channel::email), ElementsAre("both"));
    EXPECT_THAT(on(outcome::reached, base::channel::email), ElementsAre("mail"));
    EXPECT_THAT(on(outcome::reached, base::channel::sms), ElementsAre("both"));
    EXPECT_THAT(on(outcome::unreachable, base::channel::sms), ElementsAre("mail"));
    EXPECT_THAT(on(outcome::all, base::channel::sms), ElementsAre("both")) << "who had no SMS had none";
}

TEST(FollowUp, ASegmentIsThatOfAnyRowAndSoIsTheAdvice) {
    const std::vector<a_row> rows = {
        a_row{"a", "reached"}.email("a@example.com").segments(1),
        a_row{"b", "reached"}.email("b@example.com").segments(2),
        a_row{"b", "reached"}.wave(2).email("b@example.com").segments(1),
    };
    const auto got = freeze(rows, {.segment = "entrance_code"});
    ASSERT_THAT(ids(got), ElementsAre("b"));
    EXPECT_THAT(got.lines[0], HasSubstr(R"("segments":"entrance_code")")) << "minor is none of the follow-up's notice";
}

TEST(FollowUp, APersonsLatestRowSaysWhoItIsAndTheOthersOnlyFurtherAddresses) {
    const std::vector<a_row> rows = {
        a_row{"kim", "reached"}.email("old@example.com"),
        a_row{"kim", "reached"}.email("new@example.com"), // repeats the id in its wave
        a_row{"kim", "reached"}.wave(2).email("new@example.com").at(v1::CHANNEL_PUSH, "T", "fcm:T"),
    };
    const auto got = freeze(rows);
    EXPECT_EQ(got.people, 1U);
    EXPECT_EQ(got.rows, 2U);
    ASSERT_THAT(ids(got), ElementsAre("kim", "kim"));
    EXPECT_THAT(got.lines[0], AllOf(HasSubstr(R"("email":"new@example.com")"), HasSubstr(R"("push":"fcm:T")")));
    EXPECT_THAT(got.lines[1], AllOf(HasSubstr(R"("email":"old@example.com")"), HasSubstr(R"("push":"")")));
}

TEST(FollowUp, ARowHasAllThatItsPersonWasToldWith) {
    auto kim = a_row{"4711", "reached"}.at(v1::CHANNEL_SMS, "010-1234-5678", "+821012345678");
    kim.is.recipient.set_name("Kim \"\n");
    kim.is.recipient.set_country("KR");
    (*kim.is.recipient.mutable_slots())["order_count"] = "3";
    (*kim.is.recipient.mutable_slots())["unknown"] = "x";
    (*kim.is.recipient.mutable_slots())["name"] = "twice in one line would reject the row";
    const auto got = freeze({kim});
    ASSERT_EQ(got.lines.size(), 1U);
    EXPECT_EQ(got.lines[0],
              R"({"recipient_id":"4711","email":"","phone":"+821012345678","push":"","locale":"ko","name":"Kim \"\n",)"
              R"("country":"KR","segments":"","order_count":"3","semel.person":")" +
                  base::to_hex(kim.is.ref) + R"("})");
}

TEST(FollowUp, AMailNamesThoseBeforeItThatTheSameMailboxGot) {
    const auto id = [](char name) { return notice::message_id_of(message(name), "notice@shop.example.com"); };
    const auto got =
        freeze({a_row{"a", "reached"}.email("a@example.com", mail(accepted, 'a') + ";" + mail(failed, 'x')),
                a_row{"b", "failed"}.email("b@example.com", mail(failed, 'b'))});
    ASSERT_EQ(got.lines.size(), 2U);
    EXPECT_THAT(got.lines[0], HasSubstr(R"("semel.thread":")" + id('a') + R"("})"));
    EXPECT_THAT(got.lines[1], Not(HasSubstr("semel.thread")));
}

TEST(FollowUp, OfAFollowUpGoesBackToTheFirstPersonAndMail) {
    auto again = a_row{"a", "reached"}.email("a@example.com", mail(accepted, 'z'));
    again.is.recipient.set_follows("the first ref...");
    for (int i = 0; i < 12; ++i) {
        again.is.recipient.add_thread(fmt::format("<{}@x>", i));
    }
    const auto got = freeze({again});
    ASSERT_EQ(got.lines.size(), 1U);
    EXPECT_THAT(got.lines[0], HasSubstr(base::to_hex("the first ref...")));
    EXPECT_THAT(got.lines[0], HasSubstr(R"(:"<0@x> <4@x> <5@x> <6@x> <7@x> <8@x> <9@x> <10@x> <11@x> <7a7a)"))
        << "the first and the last ones: a header has its limits";
}

TEST(FollowUp, ARowThatIsNotTheLedgersIsRefused) {
    const std::string id(64, '0');
    for (const auto& links : {std::string{"1 5"}, "9 5 " + id, "1-5 " + id, std::string{"1 5 abc"}, std::string{";"}}) {
        follow_up_rows all{{.parent = a_parent(), .sender = "a@b.example", .segments = {}, .slots = {}, .terms = {}}};
        auto row = a_row{"a", "reached"};
        row.is.links = links;
        EXPECT_FALSE(all.take(row.is)) << links;
    }
}

TEST(MayFollow, SaysInWordsWhyNot) {
    const auto why = [](const v1::Campaign& parent, const coverage& lines, const follow_up_terms& terms) {
        const auto may = may_follow(parent, lines, terms);
        return may ? std::string{} : may.error().why();
    };
    const coverage done{.reached = 7, .failed = 1};
    EXPECT_EQ(why(a_parent(), done, {}), "");
    EXPECT_EQ(why(a_parent(), done, {.outcome = outcome::failed}), "");
    auto draft = a_parent();
    draft.clear_planned_at_us();
    EXPECT_THAT(why(draft, done, {}), HasSubstr("never launched"));
    EXPECT_THAT(why(a_parent(), done, {.segment = "vip"}), HasSubstr("no segment vip"));
    EXPECT_THAT(why(a_parent(), done, {.channel = base::channel::push}), HasSubstr("did not go out by push"));
    EXPECT_THAT(why(a_parent(), done, {.outcome = outcome::in_doubt}), HasSubstr("nobody who is meant"));
    EXPECT_THAT(why(a_parent(), {}, {}), HasSubstr("nobody who is meant (everybody)"));

    const coverage at_work{.reached = 7, .outstanding = 2};
    EXPECT_THAT(why(a_parent(), at_work, {.outcome = outcome::reached}),
                AllOf(HasSubstr("2 people"), HasSubstr("finished"), HasSubstr("outcome all")));
    EXPECT_EQ(why(a_parent(), at_work, {}), "") << "everybody is known, whatever becomes of them";
}

TEST(Outcome, IsReadAsItIsWritten) {
    for (const auto one : {outcome::all, outcome::reached, outcome::failed, outcome::in_doubt, outcome::unreachable}) {
        EXPECT_EQ(outcome_from(to_string(one)), one);
    }
    EXPECT_FALSE(outcome_from("in_doubt"));
    EXPECT_FALSE(outcome_from(""));
}

} // namespace
} // namespace semel::api
