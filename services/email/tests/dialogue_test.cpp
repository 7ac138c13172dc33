#include <email/core/dialogue.hpp>
#include <gtest/gtest.h>

namespace semel::email {
namespace {

using action = dialogue::action;
using kind = delivery::verdict::kind;

constexpr std::string_view mail = "Subject: hello\r\n\r\n.dots\r\n..\r\nend\r\n";
constexpr std::string_view full_ehlo =
    "250-relay.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n"
    "250-SMTPUTF8\r\n250-DSN\r\n250-AUTH PLAIN LOGIN\r\n250 ENHANCEDSTATUSCODES\r\n";

std::string said(dialogue& d) {
    std::string out = d.output();
    d.written();
    return out;
}

dialogue greeted(std::string_view ehlo = full_ehlo,
                 session_settings s = {.helo = "semel.example.com", .starttls = false, .user = {}, .password = {}}) {
    dialogue d{std::move(s)};
    EXPECT_EQ(d.next(), action::read);
    d.feed("220 relay.example.com ESMTP\r\n");
    EXPECT_EQ(said(d), "EHLO semel.example.com\r\n");
    d.feed(ehlo);
    return d;
}

envelope to(std::string_view who = "ann@example.com") {
    return make_envelope(who, "bounce+1@example.com", "abc123").value();
}

TEST(Dialogue, SendsOneMessageWithoutItsDot) {
    auto d = greeted();
    ASSERT_EQ(d.next(), action::ready);
    d.begin(to(), mail);
    EXPECT_EQ(said(d), "MAIL FROM:<bounce+1@example.com> SIZE=34 RET=HDRS ENVID=abc123\r\n"
                       "RCPT TO:<ann@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ann@example.com\r\n"
                       "DATA\r\n");
    d.feed("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n");
    ASSERT_EQ(d.next(), action::claim);
    EXPECT_EQ(said(d), "Subject: hello\r\n\r\n..dots\r\n...\r\nend\r\n");
    EXPECT_FALSE(d.in_doubt());
    d.release();
    EXPECT_TRUE(d.in_doubt());
    EXPECT_EQ(said(d), ".\r\n");
    d.feed("250 2.0.0 Ok: queued as Q1\r\n");
    ASSERT_EQ(d.next(), action::verdict);
    const auto v = d.take_verdict();
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.code, "250 2.0.0");
    EXPECT_EQ(v.message_id, "Q1");
    EXPECT_EQ(d.next(), action::ready);
    d.begin(to(), mail); // no RSET in between
    EXPECT_TRUE(said(d).starts_with("MAIL"));
}

TEST(Dialogue, SaysOneThingAtATimeWithoutPipelining) {
    auto d = greeted("250 old.example.com\r\n");
    d.begin(to(), mail);
    EXPECT_EQ(said(d), "MAIL FROM:<bounce+1@example.com>\r\n");
    d.feed("250 ok\r\n");
    EXPECT_EQ(said(d), "RCPT TO:<ann@example.com>\r\n");
    d.feed("250 ok\r\n");
    EXPECT_EQ(said(d), "DATA\r\n");
    d.feed("354 go\r\n");
    EXPECT_EQ(d.next(), action::claim);
}

TEST(Dialogue, ResetsAfterARefusedRecipientWithoutPipelining) {
    auto d = greeted("250 old.example.com\r\n");
    d.begin(to(), mail);
    d.feed("250 ok\r\n");
    (void)said(d);
    d.feed("550 no\r\n");
    EXPECT_TRUE(said(d).ends_with("RSET\r\n"));
    d.feed("250 reset\r\n");
    ASSERT_EQ(d.next(), action::verdict);
    EXPECT_EQ(d.take_verdict().what, kind::permanent);
    EXPECT_EQ(d.next(), action::ready);
}

TEST(Dialogue, FallsBackToHelo) {
    dialogue d{{.helo = "h", .starttls = false, .user = {}, .password = {}}};
    d.feed("220 hi\r\n");
    (void)said(d);
    d.feed("502 what\r\n");
    EXPECT_EQ(said(d), "HELO h\r\n");
    d.feed("250 hello\r\n");
    EXPECT_EQ(d.next(), action::ready);
}

TEST(Dialogue, ReadsEachPipelinedAnswerBeforeTheVerdict) {
    auto d = greeted();
    d.begin(to(), mail);
    d.feed("250 ok\r\n550 5.1.1 <ann@example.com> nobody\r\n");
    EXPECT_EQ(d.next(), action::read);
    d.feed("554 5.5.1 no valid recipients\r\n");
    ASSERT_EQ(d.next(), action::verdict);
    const auto v = d.take_verdict();
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_EQ(v.code, "550 5.1.1");
    EXPECT_FALSE(v.text.contains("ann@"));
    EXPECT_EQ(d.next(), action::ready);
}

TEST(Dialogue, HangsUpWhenDataIsTakenForNobody) {
    auto d = greeted();
    d.begin(to(), mail);
    d.feed("250 ok\r\n550 5.1.1 nobody\r\n354 go\r\n");
    ASSERT_EQ(d.next(), action::verdict);
    EXPECT_TRUE(d.output().empty() || d.output().starts_with("MAIL"));
    EXPECT_EQ(d.take_verdict().what, kind::permanent);
    EXPECT_EQ(d.next(), action::closed);
}

TEST(Dialogue, IsCertainUntilTheDotAndInDoubtAfterIt) {
    const std::string answers = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n";
    for (std::size_t n = 0; n <= answers.size(); ++n) {
        auto d = greeted();
        d.begin(to(), mail);
        d.feed(std::string_view{answers}.substr(0, n));
        d.lost("reset");
        ASSERT_EQ(d.next(), action::verdict) << n;
        EXPECT_EQ(d.take_verdict().what, kind::transient) << n;
        EXPECT_EQ(d.next(), action::closed);
    }
    const std::string answer = "250-a\r\n250 2.0.0 Ok\r\n";
    for (std::size_t n = 0; n < answer.size(); ++n) {
        auto d = greeted();
        d.begin(to(), mail);
        d.feed(answers);
        d.release();
        d.feed(std::string_view{answer}.substr(0, n));
        EXPECT_EQ(d.next(), action::read) << n;
        d.lost("reset");
        ASSERT_EQ(d.next(), action::verdict);
        EXPECT_EQ(d.take_verdict().what, kind::unknown) << n;
        EXPECT_EQ(d.next(), action::closed);
    }
}

TEST(Dialogue, GarbageAfterTheDotIsDoubt) {
    for (const std::string_view bad : {"hello\r\n", "250-a\r\n550 b\r\n", "354 more\r\n", "150 x\r\n"}) {
        auto d = greeted();
        d.begin(to(), mail);
        d.feed("250 a\r\n250 b\r\n354 c\r\n");
        d.release();
        d.feed(bad);
        ASSERT_EQ(d.next(), action::verdict) << bad;
        EXPECT_EQ(d.take_verdict().what, kind::unknown) << bad;
        EXPECT_EQ(d.next(), action::closed) << bad;
    }
}

TEST(Dialogue, DoesNotBelieveAnAnswerToADotNotYetSent) {
    auto d = greeted();
    d.begin(to(), mail);
    d.feed("250 a\r\n250 b\r\n354 c\r\n250 accepted\r\n");
    ASSERT_EQ(d.next(), action::verdict);
    EXPECT_EQ(d.take_verdict().what, kind::transient);
    EXPECT_EQ(d.next(), action::closed);
}

TEST(Dialogue, KeepsAVerdictThatAConnectionOutlives) {
    auto d = greeted();
    d.begin(to(), mail);
    d.feed("250 a\r\n250 b\r\n354 c\r\n");
    d.release();
    d.feed("250 accepted\r\n");
    d.lost("end of stream");
    EXPECT_EQ(d.take_verdict().what, kind::accepted);
    EXPECT_EQ(d.next(), action::closed);
}

TEST(Dialogue, TellsATiredSessionFromABusyServer) {
    auto fresh = greeted();
    fresh.begin(to(), mail);
    fresh.feed("421 4.3.2 busy\r\n");
    EXPECT_FALSE(fresh.stale());
    EXPECT_EQ(fresh.take_verdict().what, kind::throttled);

    auto old = greeted();
    old.begin(to(), mail);
    old.feed("250 a\r\n250 b\r\n354 c\r\n");
    old.release();
    old.feed("250 ok\r\n");
    (void)old.take_verdict();
    old.begin(to(), mail);
    old.feed("421 too many messages in this connection\r\n");
    EXPECT_TRUE(old.stale());
}

TEST(Dialogue, ForgetsEverythingBeforeTls) {
    dialogue d{{.helo = "h", .starttls = true, .user = {}, .password = {}}};
    d.feed("220 hi\r\n");
    (void)said(d);
    d.feed("250-r\r\n250-DSN\r\n250 STARTTLS\r\n");
    EXPECT_EQ(said(d), "STARTTLS\r\n");
    d.feed("220 go\r\n");
    ASSERT_EQ(d.next(), action::secure);
    d.secured();
    EXPECT_EQ(said(d), "EHLO h\r\n");
    EXPECT_FALSE(d.offers().dsn);
    d.feed("250 r\r\n");
    EXPECT_EQ(d.next(), action::ready);
    EXPECT_FALSE(d.offers().dsn);
}

TEST(Dialogue, RefusesPlainTextAfterStarttls) {
    dialogue d{{.helo = "h", .starttls = true, .user = {}, .password = {}}};
    d.feed("220 hi\r\n");
    d.feed("250-r\r\n250 STARTTLS\r\n");
    d.feed("220 go\r\n250 injected\r\n");
    EXPECT_EQ(d.next(), action::closed);
    EXPECT_TRUE(d.failure());
}

TEST(Dialogue, SendsNothingWithoutTheTlsItWasToldToUse) {
    auto d = greeted("250 r\r\n", {.helo = "semel.example.com", .starttls = true, .user = {}, .password = {}});
    EXPECT_EQ(d.next(), action::closed);
    EXPECT_EQ(d.failure()->what, kind::lane_stop);
}

TEST(Dialogue, AuthenticatesPlainOrLogin) {
    auto plain = greeted(full_ehlo, {.helo = "semel.example.com", .starttls = false, .user = "u", .password = "p"});
    EXPECT_EQ(said(plain), "AUTH PLAIN AHUAcA==\r\n");
    plain.feed("235 2.7.0 ok\r\n");
    EXPECT_EQ(plain.next(), action::ready);

    auto login = greeted("250-r\r\n250 AUTH=LOGIN\r\n",
                         {.helo = "semel.example.com", .starttls = false, .user = "u", .password = "p"});
    EXPECT_EQ(said(login), "AUTH LOGIN\r\n");
    login.feed("334 VXNlcm5hbWU6\r\n");
    EXPECT_EQ(said(login), "dQ==\r\n");
    login.feed("334 UGFzc3dvcmQ6\r\n");
    EXPECT_EQ(said(login), "cA==\r\n");
    login.feed("535 5.7.8 no\r\n");
    EXPECT_EQ(login.next(), action::closed);
    EXPECT_EQ(login.failure()->what, kind::lane_stop);
}

TEST(Dialogue, UsesSmtputf8OrFailsTheRecipient) {
    const auto utf8 = to("\xED\x95\x9C@example.com");
    auto d = greeted();
    d.begin(utf8, mail);
    EXPECT_TRUE(d.output().contains(" SMTPUTF8 "));
    EXPECT_FALSE(d.output().contains("ORCPT"));
    auto without = greeted("250-r\r\n250 PIPELINING\r\n");
    without.begin(utf8, mail);
    EXPECT_TRUE(without.output().empty());
    const auto v = without.take_verdict();
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_EQ(v.code, "semel:smtputf8");
    EXPECT_EQ(without.next(), action::ready);
}

TEST(Dialogue, StopsTheLaneForABodyThatARelayWouldChange) {
    const std::string long_line(999, 'x');
    for (const std::string& bad : {std::string{"a"}, std::string{"a\n"}, std::string{"a\n.\r\n"},
                                   std::string{"a\r.\r\n"}, std::string{"\r\n\n.\r\n"}, std::string{"a\r\r\n"},
                                   std::string{}, std::string{"caf\xC3\xA9\r\n"}, long_line + "\r\n"}) {
        auto d = greeted();
        d.begin(to(), bad);
        EXPECT_TRUE(d.output().empty());
        ASSERT_EQ(d.next(), action::verdict);
        EXPECT_EQ(d.take_verdict().what, kind::ambiguous);
    }
    auto d = greeted();
    d.begin(to(), long_line.substr(1) + "\r\n");
    EXPECT_EQ(d.next(), action::read);
}

TEST(Dialogue, AMessageOverTheRelaysSizeSaysNothingOfOthers) {
    auto d = greeted("250-r\r\n250 SIZE 10\r\n");
    d.begin(to(), mail);
    EXPECT_EQ(d.take_verdict().what, kind::ambiguous);
}

TEST(Dialogue, TakesRepliesByteByByte) {
    auto d = greeted();
    d.begin(to(), mail);
    for (const char c : std::string_view{"250-x\r\n250 a\r\n250 b\r\n354 c\r\n"}) {
        EXPECT_EQ(d.next(), action::read);
        d.feed({&c, 1});
    }
    EXPECT_EQ(d.next(), action::claim);
}

TEST(Dialogue, KeepsAliveAndQuits) {
    auto d = greeted();
    d.keep_alive();
    EXPECT_EQ(said(d), "NOOP\r\n");
    d.feed("250 ok\r\n");
    EXPECT_EQ(d.next(), action::ready);
    d.quit();
    EXPECT_EQ(said(d), "QUIT\r\n");
    d.feed("221 bye\r\n");
    EXPECT_EQ(d.next(), action::closed);
}

} // namespace
} // namespace semel::email
