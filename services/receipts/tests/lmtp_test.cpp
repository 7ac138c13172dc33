#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <receipts/core/lmtp.hpp>

#include <string>

namespace semel::receipts {
namespace {

using testing::EndsWith;
using testing::StartsWith;

/// Of the paths "one@b.example" and "two@b.example".
std::optional<return_address> read(std::string_view path) {
    if (path != "one@b.example" && path != "two@b.example") {
        return std::nullopt;
    }
    return return_address{.gateway = std::string{path.substr(0, 3)}, .notification = {}};
}

lmtp_session a_session(lmtp_session::limits most = {}) {
    return lmtp_session{"here.example", read, most};
}

/// Up to the mail's text.
lmtp_session at_text(std::string hello = "LHLO relay\r\n", lmtp_session::limits most = {}) {
    auto s = a_session(most);
    s.take(hello + "MAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\nRCPT TO:<two@b.example>\r\nDATA\r\n");
    return s;
}

TEST(Lmtp, TakesAMailAndAnswersForEachOfItsRecipients) {
    auto s = a_session();
    EXPECT_THAT(s.greeting(), StartsWith("220 here.example "));
    EXPECT_EQ(s.take("LHLO relay\r\n"),
              "250-here.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
              "250-SMTPUTF8\r\n250 SIZE 67108864\r\n");
    EXPECT_EQ(
        s.take("MAIL FROM:<> SIZE=100\r\nRCPT TO:<one@b.example> NOTIFY=NEVER\r\nrcpt to:<two@b.example>\r\nDATA\r\n"),
        "250 2.1.0 go on\r\n250 2.1.5 ours\r\n250 2.1.5 ours\r\n354 end with a dot\r\n");
    EXPECT_EQ(s.take("Subject: a\r\n\r\nwords\r\n"), "");
    EXPECT_FALSE(s.waiting());
    EXPECT_EQ(s.take(".\r\n"), "") << "nothing is said before it is kept";
    ASSERT_TRUE(s.waiting());
    EXPECT_EQ(s.waiting()->text, "Subject: a\r\n\r\nwords\r\n");
    EXPECT_EQ(s.waiting()->to.at(0).gateway, "one");
    EXPECT_EQ(s.waiting()->to.at(1).gateway, "two");
    EXPECT_EQ(s.answer(true), "250 2.0.0 kept\r\n250 2.0.0 kept\r\n");
    EXPECT_FALSE(s.waiting());
    EXPECT_EQ(s.take("QUIT\r\n"), "221 2.0.0 goodbye\r\n");
    EXPECT_TRUE(s.over());
}

TEST(Lmtp, SpeaksSmtpToWhoDoes) {
    auto s = at_text("EHLO relay\r\n");
    s.take("words\r\n.\r\n");
    EXPECT_EQ(s.answer(true), "250 2.0.0 kept\r\n");
    auto old = a_session();
    EXPECT_EQ(old.take("HELO relay\r\n"), "250 here.example\r\n");
}

TEST(Lmtp, LetsASenderComeAgainWithWhatIsNotKept) {
    auto s = at_text();
    s.take("words\r\n.\r\n");
    EXPECT_THAT(s.answer(false), StartsWith("451 4.3.0 "));
    EXPECT_THAT(s.take("MAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\nDATA\r\n"), EndsWith("354 end with a dot\r\n"));
}

TEST(Lmtp, RelaysNothing) {
    auto s = a_session();
    s.take("LHLO relay\r\nMAIL FROM:<a@x.example>\r\n");
    for (const auto* other :
         {"<kim@example.org>", "<>", "one@b.example", "<one@b.example", "<@a.example,kim@example.org>"}) {
        EXPECT_THAT(s.take(std::string{"RCPT TO:"} + other + "\r\n"), StartsWith("550 5.1.1 ")) << other;
    }
    EXPECT_THAT(s.take("DATA\r\n"), StartsWith("503 "));
    EXPECT_THAT(s.take("RCPT TO:<@a.example:one@b.example>\r\n"), StartsWith("250 ")) << "a source route is left out";
}

TEST(Lmtp, WantsCommandsInTheirOrder) {
    auto s = a_session();
    EXPECT_THAT(s.take("MAIL FROM:<>\r\n"), StartsWith("503 "));
    s.take("LHLO relay\r\n");
    EXPECT_THAT(s.take("RCPT TO:<one@b.example>\r\n"), StartsWith("503 "));
    EXPECT_THAT(s.take("DATA\r\n"), StartsWith("503 "));
    EXPECT_THAT(s.take("DATAX\r\n"), StartsWith("500 "));
    EXPECT_EQ(s.take("NOOP\r\n"), "250 2.0.0 nothing done\r\n");
    s.take("MAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\nRSET\r\n");
    EXPECT_THAT(s.take("DATA\r\n"), StartsWith("503 ")) << "RSET has forgotten the recipient";
}

TEST(Lmtp, TakesOffTheDotsThatWereDoubledAndEndsAtALoneOne) {
    auto s = at_text();
    s.take("..one\r\n.two\r\n...\r\n");
    EXPECT_FALSE(s.waiting());
    s.take(".\r\n");
    ASSERT_TRUE(s.waiting());
    EXPECT_EQ(s.waiting()->text, ".one\r\ntwo\r\n..\r\n");
}

// CVE-2023-51764: what one server takes for the end of a mail and another does not carries a second mail.
TEST(Lmtp, LetsNoMailBeSmuggledInAnother) {
    for (const std::string end : {"\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r.\r\n"}) {
        auto s = at_text();
        EXPECT_EQ(s.take("words" + end + "MAIL FROM:<>\r\n"), "") << testing::PrintToString(end);
        EXPECT_FALSE(s.waiting()) << testing::PrintToString(end);
    }
    auto s = at_text();
    s.take("words\r\n.\rx\r\n.\r\n");
    ASSERT_TRUE(s.waiting());
    EXPECT_EQ(s.waiting()->text, "words\r\n\rx\r\n");
}

TEST(Lmtp, IsTheSameHoweverItsBytesAreCut) {
    const std::string all = "LHLO r\r\nMAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\nDATA\r\n..a\r\n\r\n.\r\nQUIT\r\n";
    for (std::size_t piece = 1; piece < all.size(); ++piece) {
        auto s = a_session();
        std::string said;
        std::string kept;
        for (std::size_t i = 0; i < all.size(); i += piece) {
            said += s.take(std::string_view{all}.substr(i, piece));
            if (s.waiting()) {
                kept += s.waiting()->text;
                said += s.answer(true);
            }
        }
        EXPECT_EQ(kept, ".a\r\n\r\n") << piece;
        EXPECT_THAT(said, EndsWith("354 end with a dot\r\n250 2.0.0 kept\r\n221 2.0.0 goodbye\r\n")) << piece;
        EXPECT_TRUE(s.over()) << piece;
    }
}

TEST(Lmtp, KeepsTheBeginningOfALongMailAndRefusesATooLongOne) {
    auto s = at_text("LHLO r\r\n", {.kept = 10, .size = 100});
    s.take("0123456789abcdef\r\n.\r\n");
    ASSERT_TRUE(s.waiting());
    EXPECT_EQ(s.waiting()->text, "0123456789");
    auto long_one = at_text("LHLO r\r\n", {.kept = 10, .size = 100});
    EXPECT_THAT(long_one.take(std::string(101, 'x')), StartsWith("552 5.3.4 "));
    EXPECT_TRUE(long_one.over());
    EXPECT_FALSE(long_one.waiting());
}

TEST(Lmtp, HangsUpOnWhoOnlyMakesMistakes) {
    auto s = a_session({.errors = 2});
    EXPECT_THAT(s.take("GET / HTTP/1.1\r\nHost: a\r\n"), StartsWith("500 "));
    EXPECT_FALSE(s.over());
    EXPECT_THAT(s.take("\r\n"), StartsWith("421 "));
    EXPECT_TRUE(s.over());
    EXPECT_EQ(s.take("NOOP\r\n"), "") << "nothing more is said";

    auto endless = a_session();
    EXPECT_THAT(endless.take(std::string(1'001, 'x')), StartsWith("500 5.5.2 "));
    EXPECT_TRUE(endless.over());

    auto many = a_session({.recipients = 1});
    many.take("LHLO r\r\nMAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\n");
    EXPECT_THAT(many.take("RCPT TO:<two@b.example>\r\n"), StartsWith("452 4.5.3 "));
}

} // namespace
} // namespace semel::receipts
