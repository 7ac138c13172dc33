#include <email/core/classify.hpp>
#include <gtest/gtest.h>

namespace semel::email {
namespace {

using kind = delivery::verdict::kind;

delivery::verdict judged(stage where, std::string_view line, std::string_view recipient = "ann.lee@example.com") {
    reply_parser p;
    p.feed(std::string{line} + "\r\n");
    return classify(where, p.next().value(), recipient);
}

struct row {
    stage where;
    const char* line;
    kind what;
};

TEST(Classify, FollowsTheTable) {
    const row table[] = {
        {stage::dot, "250 2.0.0 Ok", kind::accepted},
        {stage::dot, "252 maybe", kind::accepted},
        {stage::dot, "354 go on", kind::unknown},
        {stage::dot, "451 4.3.0 later", kind::transient},
        {stage::dot, "421 4.3.2 closing", kind::throttled},
        {stage::dot, "450 4.7.28 too fast", kind::throttled},
        {stage::dot, "552 5.3.4 too big", kind::ambiguous},
        {stage::dot, "552 5.2.2 full", kind::transient},
        {stage::dot, "552 too much", kind::transient},
        {stage::dot, "550 5.7.26 unauthenticated", kind::ambiguous},
        {stage::dot, "554 5.7.1 spam", kind::ambiguous},
        {stage::dot, "550 5.1.1 nobody", kind::permanent},
        {stage::dot, "554 refused", kind::ambiguous},
        {stage::dot, "554 5.6.0 bad content", kind::ambiguous},
        {stage::rcpt, "550 5.1.1 nobody", kind::permanent},
        {stage::rcpt, "550 5.1.2 no host", kind::permanent},
        {stage::rcpt, "553 5.1.3 syntax", kind::permanent},
        {stage::rcpt, "556 5.1.10 null MX", kind::permanent},
        {stage::rcpt, "550 nobody", kind::permanent},
        {stage::rcpt, "550 5.2.1 disabled", kind::permanent},
        {stage::rcpt, "552 5.2.2 full", kind::transient},
        {stage::rcpt, "452 4.2.2 full", kind::transient},
        {stage::rcpt, "552 too many recipients", kind::transient},
        {stage::rcpt, "450 4.7.1 greylisted", kind::transient},
        {stage::rcpt, "450 4.7.28 rate", kind::throttled},
        {stage::rcpt, "451 4.3.2 not now", kind::throttled},
        {stage::rcpt, "554 5.7.1 relay access denied", kind::ambiguous},
        {stage::rcpt, "550 5.7.13 account disabled", kind::permanent},
        {stage::rcpt, "530 authentication required", kind::ambiguous},
        {stage::rcpt, "501 5.1.7 bad sender", kind::ambiguous},
        {stage::rcpt, "550 5.5.0 mailbox unavailable", kind::permanent},
        {stage::rcpt, "501 5.5.4 bad parameter", kind::ambiguous},
        {stage::rcpt, "555 unknown parameter", kind::ambiguous},
        {stage::rcpt, "554 5.7.1 <x@example.com>: Recipient address rejected: Access denied", kind::ambiguous},
        {stage::rcpt, "554 Access denied", kind::ambiguous},
        {stage::rcpt, "501 Invalid RCPT", kind::ambiguous},
        {stage::rcpt, "503 5.5.1 no", kind::ambiguous},
        {stage::rcpt, "550 5.3.0 rejected", kind::ambiguous},
        {stage::rcpt, "550 5.4.1 access denied", kind::permanent},
        {stage::dot, "550 refused", kind::ambiguous},
        {stage::dot, "550 5.0.0 refused", kind::ambiguous},
        {stage::mail, "501 5.5.4 bad parameter", kind::ambiguous},
        {stage::mail, "555 unknown parameter", kind::ambiguous},
        {stage::mail, "530 5.7.0 authentication required", kind::lane_stop},
        {stage::mail, "550 5.7.1 policy", kind::lane_stop},
        {stage::mail, "553 5.1.8 sender refused", kind::lane_stop},
        {stage::mail, "550 5.6.7 needs SMTPUTF8", kind::permanent},
        {stage::mail, "450 4.7.1 slow down", kind::throttled},
        {stage::mail, "451 4.3.0 later", kind::transient},
        {stage::mail, "552 5.3.4 too big", kind::ambiguous},
        {stage::data, "554 5.5.1 no valid recipients", kind::ambiguous},
        {stage::data, "451 later", kind::transient},
        {stage::greeting, "554 go away", kind::lane_stop},
        {stage::greeting, "421 busy", kind::throttled},
        {stage::ehlo, "550 5.7.1 blocked", kind::lane_stop},
        {stage::auth, "535 5.7.8 wrong password", kind::lane_stop},
        {stage::auth, "454 4.7.0 try later", kind::throttled},
    };
    for (const auto& r : table) {
        EXPECT_EQ(judged(r.where, r.line).what, r.what) << to_string(r.where) << ": " << r.line;
    }
}

TEST(Classify, NoAnswerThatNamesARecipientIsAVerdictOnTheGateway) {
    for (const auto where : {stage::rcpt, stage::data, stage::dot}) {
        for (int code = 500; code < 600; ++code) {
            EXPECT_NE(judged(where, std::to_string(code) + " no").what, kind::lane_stop) << to_string(where) << code;
            for (int subject = 0; subject < 8; ++subject) {
                for (int detail = 0; detail < 30; ++detail) {
                    const auto line =
                        std::to_string(code) + " 5." + std::to_string(subject) + "." + std::to_string(detail);
                    EXPECT_NE(judged(where, line + " no").what, kind::lane_stop) << to_string(where) << ": " << line;
                }
            }
        }
    }
}

TEST(Classify, APoliteGoodbyeConcernsItsSessionOnly) {
    for (const auto where : {stage::greeting, stage::ehlo, stage::mail, stage::rcpt, stage::data, stage::dot}) {
        const auto v = judged(where, "421 4.7.0 too many messages in this session");
        EXPECT_EQ(v.what, kind::throttled);
        EXPECT_EQ(v.concerns, delivery::verdict::reach::session) << to_string(where);
    }
    EXPECT_EQ(judged(stage::dot, "450 4.7.28 too fast").concerns, delivery::verdict::reach::lane);
}

TEST(Classify, OnlyTheDotCanAcceptOrDoubt) {
    for (const auto where :
         {stage::greeting, stage::ehlo, stage::starttls, stage::auth, stage::mail, stage::rcpt, stage::data}) {
        for (int code = 200; code < 600; ++code) {
            const auto v = judged(where, std::to_string(code) + " x");
            EXPECT_NE(v.what, kind::accepted) << code;
            EXPECT_NE(v.what, kind::unknown) << code;
        }
    }
    for (int code = 400; code < 600; ++code) { // a refusal is certain even there
        const auto v = judged(stage::dot, std::to_string(code) + " x");
        EXPECT_NE(v.what, kind::accepted) << code;
        EXPECT_NE(v.what, kind::unknown) << code;
    }
}

TEST(Classify, NamesTheQueueId) {
    EXPECT_EQ(judged(stage::dot, "250 2.0.0 Ok: queued as 4Xyz12").message_id, "4Xyz12");
    EXPECT_EQ(judged(stage::dot, "250 OK id=1rABC-000-X").message_id, "1rABC-000-X");
    EXPECT_EQ(judged(stage::dot, "250 2.0.0 3AO00 Message accepted for delivery").message_id, "3AO00");
    EXPECT_EQ(judged(stage::dot, "250 2.0.0 Ok").message_id, "");
}

TEST(Scrubbed, LeavesNoAddressInATextForPeople) {
    const std::string who = "Ann.Lee@example.com";
    for (const std::string_view text :
         {"<ann.lee@example.com>: Recipient address rejected", "ann.lee@EXAMPLE.com unknown", "user ann.lee not found",
          "no <other.person@example.net> here", "to:ann.lee@example.com,x", "\"ann lee\"@example.com bad",
          "ann.lee@[127.0.0.1] bad", "relayed for ann.lee+tag@mail.example.com"}) {
        const auto out = scrubbed(text, who);
        EXPECT_FALSE(out.contains('@')) << out;
        EXPECT_FALSE(out.contains("nn.lee") || out.contains("ann lee") || out.contains("other.person")) << out;
        EXPECT_TRUE(out.contains("<address>")) << out;
    }
    EXPECT_EQ(scrubbed("<a@b.example>: Recipient address rejected", who), "<address>: Recipient address rejected");
    EXPECT_EQ(scrubbed("Ok: queued as 12", who), "Ok: queued as 12");
    EXPECT_EQ(scrubbed("caf\xC3\xA9\x01", who), "caf???");
    EXPECT_EQ(scrubbed(std::string(5000, 'x'), who).size(), 200U);
    EXPECT_EQ(scrubbed("@", who), "<address>");
}

} // namespace
} // namespace semel::email
