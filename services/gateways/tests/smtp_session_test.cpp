#include "fed.hpp"

#include <crypto/hash.hpp>

#include <gateways/smtp_session.hpp>
#include <gateways/smtp_syntax.hpp>
#include <gtest/gtest.h>

namespace semel::gateways::smtp {
namespace {

using testing::said;

constexpr std::string_view id = "9f00000000000000000000000000000000000000000000000000000000000001";
const std::string message = fmt::format("From: a@example.com\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
                                        "Message-ID:\r\n <{}@example.com>\r\n\r\n",
                                        id);

struct Relay : ::testing::Test {
    testing::a_desk d{kind::smtp};
    testing::held_wire wire;
    smtp_session s{d.desk, wire, 1};

    std::string tell(std::string_view bytes) {
        s.received(bytes);
        return said(s);
    }
    /// Up to the 354.
    void open(std::string_view parameters = "") {
        tell("EHLO client.example\r\n");
        const auto answer =
            tell(fmt::format("MAIL FROM:<b@example.com>{}\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n", parameters));
        ASSERT_TRUE(answer.contains("354 ")) << answer;
    }
    std::string send(std::string_view body, std::string_view parameters = "") {
        open(parameters);
        return tell(message + std::string{body});
    }
};

TEST_F(Relay, NotesTheExactBytesUnstuffed) {
    EXPECT_TRUE(said(s).starts_with("220 "));
    const auto answer = send("..dot\r\n...two\r\nplain\r\n.\r\n", " ENVID=abc+2B SIZE=100");
    EXPECT_TRUE(answer.starts_with("250 2.0.0 Ok: queued as S")) << answer;
    const auto line = json::read(d.noted()).value().as_object();
    const auto content = message + ".dot\r\n..two\r\nplain\r\n";
    std::string hex = base::to_hex(base::as_view(crypto::sha256(content)));
    EXPECT_EQ(line.at("sha256").as_string(), hex);
    EXPECT_EQ(line.at("bytes").as_int64(), static_cast<std::int64_t>(content.size()));
    EXPECT_EQ(line.at("id").as_string(), std::string{id}) << "out of a folded Message-ID";
    EXPECT_EQ(line.at("envid").as_string(), "abc+");
    EXPECT_EQ(line.at("address").as_string(), "ann@example.com");
    EXPECT_TRUE(answer.contains(std::string_view{line.at("gateway_message_id").as_string()}));
}

TEST_F(Relay, ReadsTheSameWhereverTheBytesAreCut) {
    tell("EHLO client.example\r\n");
    tell("MAIL FROM:<>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n");
    std::string answers;
    for (const char c : message + "..x\r\n.\r\n") {
        answers += tell({&c, 1});
    }
    EXPECT_TRUE(answers.starts_with("250 2.0.0")) << answers;
    EXPECT_EQ(d.count("violations"), 0U);
}

TEST_F(Relay, RefusesWhatAStrictRelayRefuses) {
    for (const std::string_view body :
         {"bare\nLF\r\n.\r\n", "bare\rCR\r\n.\r\n", ".unstuffed\r\n.\r\n", "8-bit \xC3\xA9\r\n.\r\n"}) {
        EXPECT_TRUE(send(body).starts_with("554 5.6.0")) << body;
    }
    EXPECT_TRUE(send(std::string{"nul\0\r\n.\r\n", 9}).starts_with("554"));
    EXPECT_TRUE(send(std::string(999, 'x') + "\r\n.\r\n").starts_with("554"));
    EXPECT_TRUE(send(std::string(998, 'x') + "\r\n.\r\n").starts_with("250")) << "998 and CRLF are allowed";
    EXPECT_TRUE(send("." + std::string(998, '.') + "\r\n.\r\n").starts_with("250")) << "the stuffed dot does not count";
    EXPECT_TRUE(send("8-bit \xC3\xA9\r\n.\r\n", " BODY=8BITMIME").starts_with("250"));
    EXPECT_EQ(d.count("violations"), 6U);
    EXPECT_EQ(testing::lines_of(d.noted()), 3U);
}

TEST_F(Relay, CannotBeSmuggledAnEnd) {
    open();
    EXPECT_EQ(tell(message + "x\n.\r\nMAIL FROM:<evil@example.com>\r\n"), "");
    EXPECT_EQ(tell("y\r\n.\nRSET\r\n"), "") << "neither LF.CRLF nor CRLF.LF ends a message";
    EXPECT_TRUE(tell("\r\n.\r\n").starts_with("554"));
    EXPECT_TRUE(d.noted().empty());
}

TEST_F(Relay, WantsACommandsOrderAndForm) {
    for (const std::string_view line :
         {"MAIL FROM:<a@example.com>\r\n", "EHLO\r\n", "RCPT TO:<a@example.com>\r\n", "BDAT 5 LAST\r\n"}) {
        EXPECT_TRUE(tell(line).contains("\r\n")) << line;
    }
    EXPECT_EQ(d.count("violations"), 4U);
    tell("EHLO client.example\r\n");
    for (const std::string_view line :
         {"MAIL FROM: <a@example.com>\r\n", "MAIL FROM:<a@@example.com>\r\n", "MAIL FROM:<a@example.com> WHAT=1\r\n",
          "MAIL FROM:<a@example.com> ENVID=a=b\r\n", "MAIL FROM:<a@example.com> BODY=9BIT\r\n"}) {
        EXPECT_TRUE(tell(line).starts_with("5")) << line;
    }
    EXPECT_EQ(d.count("violations"), 9U);
    tell("MAIL FROM:<a@example.com>\r\n");
    for (const std::string_view line : {"RCPT TO:<j\xC3\xB6rg@example.com>\r\n", "RCPT TO:<a b@example.com>\r\n",
                                        "RCPT TO:<a@example.com> NOTIFY=SOMETIMES\r\n"}) {
        EXPECT_TRUE(tell(line).starts_with("501")) << line;
    }
}

TEST_F(Relay, NoticesAClientThatDoesNotWait) {
    tell("EHLO client.example\r\n");
    tell("MAIL FROM:<>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\nFrom: a@example.com\r\n");
    EXPECT_EQ(d.count("violations"), 1U) << "the message must wait for the 354";
    EXPECT_TRUE(wire.hung_up);
}

TEST_F(Relay, FailsTheAddressAtRcpt) {
    d.behave(R"({"fail_suffix": "@dead.example"})");
    tell("EHLO client.example\r\n");
    const auto answer = tell("MAIL FROM:<>\r\nRCPT TO:<ann@dead.example>\r\nDATA\r\n");
    EXPECT_TRUE(answer.contains("\r\n550 5.1.1 ")) << answer;
    EXPECT_TRUE(answer.contains("\r\n554 5.5.1 ")) << answer;
    EXPECT_EQ(d.count("refused"), 1U);
    EXPECT_EQ(d.count("violations"), 0U) << "it is how PIPELINING goes";
}

TEST_F(Relay, AnswersWhenItsTimeHasComeAndInOrder) {
    d.behave(R"({"latency_ms": 20})");
    EXPECT_EQ(send("x\r\n.\r\nNOOP\r\n"), "");
    EXPECT_TRUE(s.holds());
    EXPECT_EQ(testing::lines_of(d.noted()), 1U) << "accepted is accepted, answered or not";
    wire.run_later();
    const auto answers = said(s);
    EXPECT_TRUE(answers.starts_with("250 2.0.0 Ok: queued")) << answers;
    EXPECT_TRUE(answers.ends_with("250 2.0.0 Ok\r\n")) << answers;
}

TEST_F(Relay, MisbehavesAsTold) {
    d.behave(R"({"silence": 1})");
    EXPECT_EQ(send("x\r\n.\r\n"), "");
    EXPECT_EQ(tell("NOOP\r\n"), "");
    EXPECT_TRUE(d.noted().contains(R"("answer":"silence")"));

    smtp_session second{d.desk, wire, 2};
    d.behave(R"({"silence": 0, "accept_then_reset": 1})");
    second.received("EHLO c.example\r\n");
    second.received("MAIL FROM:<>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n");
    second.received(message + "x\r\n.\r\n");
    EXPECT_TRUE(wire.was_reset);
    EXPECT_EQ(testing::lines_of(d.noted()), 2U);

    testing::held_wire other;
    smtp_session third{d.desk, other, 3};
    d.behave(R"({"accept_then_reset": 0, "reset_before_last_byte": 1})");
    third.received("EHLO c.example\r\n");
    third.received("MAIL FROM:<>\r\nRCPT TO:<cat@example.com>\r\nDATA\r\n");
    EXPECT_FALSE(other.was_reset);
    third.received("From");
    EXPECT_TRUE(other.was_reset);
    EXPECT_EQ(testing::lines_of(d.noted()), 2U) << "not recorded";
}

TEST(Xtext, IsStrict) {
    EXPECT_EQ(from_xtext("a+2Bb").value(), "a+b");
    for (const auto* bad : {"a+2b", "a+", "a+2", "a=b", "a b", "\xC3"}) {
        EXPECT_FALSE(from_xtext(bad)) << bad;
    }
}

TEST(Mailbox, IsRfc5321s) {
    for (const auto* good : {"a@b", "a.b+c@example.com", "\"a b\"@example.com", "x@[127.0.0.1]"}) {
        EXPECT_TRUE(is_mailbox(good, false)) << good;
    }
    for (const auto* bad : {"a", "@b", "a@", ".a@b", "a..b@c", "a@b.", "a@-b", "a@b..c", "\"a\"b\"@c", "\"a@b"}) {
        EXPECT_FALSE(is_mailbox(bad, false)) << bad;
    }
    EXPECT_TRUE(is_mailbox("j\xC3\xB6rg@example.com", true));
    EXPECT_FALSE(is_mailbox("j\xC3\xB6rg@example.com", false));
}

} // namespace
} // namespace semel::gateways::smtp
