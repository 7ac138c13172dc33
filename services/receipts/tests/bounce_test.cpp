#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <receipts/core/bounce.hpp>
#include <receipts/core/bounce_words.hpp>
#include <receipts/core/mime.hpp>

#include <algorithm>

namespace semel::receipts {
namespace {

using kind = bounce::kind;

// As Postfix 3.7 wrote it, the addresses replaced.
constexpr std::string_view postfix_dsn =
    "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"4Xyz/mx.example.net\"\r\n"
    "\r\n"
    "This is a MIME-encapsulated message.\r\n"
    "\r\n"
    "--4Xyz/mx.example.net\r\n"
    "Content-Description: Notification\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "I'm sorry.\r\n"
    "\r\n"
    "--4Xyz/mx.example.net\r\n"
    "Content-Description: Delivery report\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; mx.example.net\r\n"
    "Original-Envelope-Id: 00ff00ff\r\n"
    "Arrival-Date: Wed, 18 Nov 2026 11:06:40 +0000 (UTC)\r\n"
    "\r\n"
    "Final-Recipient: rfc822; kim@example.org\r\n"
    "Original-Recipient: rfc822;kim+tag@example.org\r\n"
    "Action: failed\r\n"
    "Status: 5.3.0\r\n"
    "Remote-MTA: dns; mx.example.org\r\n"
    "Diagnostic-Code: smtp; 500 nobody\r\n here\r\n"
    "\r\n"
    "--4Xyz/mx.example.net\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Message-ID: <00ff@example.com>\r\n"
    "Subject: 5.1.1\r\n"
    "\r\n"
    "--4Xyz/mx.example.net--\r\n";

std::string with(std::string_view text, std::string_view from, std::string_view to) {
    std::string out{text};
    out.replace(out.find(from), from.size(), to);
    return out;
}

bounce letter(std::string_view text, std::string_view fields = "From: <MAILER-DAEMON@mx.example.net>\n") {
    return read_bounce(std::string{fields} + "\n" + std::string{text});
}

std::string first_status(const bounce& b) {
    return b.recipients.empty() ? "none" : b.recipients.front().status;
}

} // namespace

TEST(Bounce, ReadsADeliveryStatus) {
    const auto b = read_bounce(postfix_dsn);
    EXPECT_EQ(b.what, kind::failed);
    EXPECT_EQ(b.envelope_id, "00ff00ff");
    EXPECT_EQ(b.message_id, "00ff@example.com");
    ASSERT_EQ(b.recipients.size(), 1U);
    EXPECT_EQ(b.recipients[0].address, "kim+tag@example.org");
    EXPECT_EQ(b.recipients[0].status, "5.3.0");
    EXPECT_EQ(b.recipients[0].diagnostic, "smtp; 500 nobody here");
}

TEST(Bounce, TheNewlinesMayBeAnybodys) {
    for (const std::string_view newline : {"\n", "\r"}) {
        std::string text;
        std::ranges::copy_if(postfix_dsn, std::back_inserter(text), [](char c) { return c != '\r'; });
        for (std::size_t at = 0; newline == "\r" && (at = text.find('\n', at)) != text.npos;) {
            text[at] = '\r';
        }
        EXPECT_EQ(read_bounce(text).what, kind::failed);
        EXPECT_EQ(read_bounce(text).envelope_id, "00ff00ff");
    }
}

TEST(Bounce, EmptyLinesBetweenGroupsMayBeMany) {
    const auto b = read_bounce(with(postfix_dsn, "\r\n\r\nFinal-Recipient", "\r\n\r\n\r\n\r\nFinal-Recipient"));
    EXPECT_EQ(b.what, kind::failed);
    EXPECT_EQ(b.recipients.at(0).address, "kim+tag@example.org");
}

TEST(Bounce, TheActionDecidesAndWithoutOneTheStatus) {
    const std::pair<const char*, kind> table[] = {
        {"Action: failed", kind::failed},     {"Action: Failure", kind::failed},
        {"Action: delayed", kind::delayed},   {"Action: delivered", kind::delivered},
        {"Action: relayed", kind::delivered}, {"Action: expanded", kind::delivered},
        {"Action: odd", kind::failed},
    };
    for (const auto& [action, what] : table) {
        EXPECT_EQ(read_bounce(with(postfix_dsn, "Action: failed", action)).what, what) << action;
    }
    EXPECT_EQ(read_bounce(with(with(postfix_dsn, "Action: failed", "Action: odd"), "5.3.0", "4.4.1")).what,
              kind::delayed);
    EXPECT_EQ(read_bounce(with(postfix_dsn, "Status: 5.3.0", "Status: 4.4.7")).what, kind::failed) << "it gave up";
}

TEST(Bounce, AStatusThatSaysNothingGivesWayToThePeersWords) {
    auto b = read_bounce(with(with(postfix_dsn, "Status: 5.3.0", "Status: 5.0.0"), "500 nobody", "550 5.1.1 nobody"));
    EXPECT_EQ(first_status(b), "5.1.1");
    b = read_bounce(with(with(postfix_dsn, "Status: 5.3.0\r\n", ""), "500 nobody", "User unknown"));
    EXPECT_EQ(first_status(b), "5.1.1");
}

TEST(Bounce, OfSeveralRecipientsTheGravestCounts) {
    const auto b =
        read_bounce(with(postfix_dsn, "\r\nFinal-Recipient",
                         "\r\nFinal-Recipient: rfc822; lee@example.org\r\nAction: delayed\r\nStatus: 4.0.0\r\n"
                         "\r\nFinal-Recipient"));
    EXPECT_EQ(b.recipients.size(), 2U);
    EXPECT_EQ(b.what, kind::failed);
}

TEST(Bounce, ReadsTheLettersOfOthers) {
    const std::pair<const char*, const char*> table[] = {
        {"<kim@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n", "5.1.1"},
        {"kim@example.org\n  retry timeout exceeded\n", "5.4.7"},
        {"host mx [192.0.2.25] said: 552 mailbox is full\n", "5.2.2"},
        {"550 no\n", "5.1.1"},
        {"The recipient name is not recognized\n", "5.1.1"},
        {"Domain does not exist\n", "5.1.2"},
        {"This account is over quota.\n", "5.2.2"},
        {"Unable to deliver message to <kim@example.org>\n", "5.0.0"},
    };
    for (const auto& [text, status] : table) {
        const auto b = letter(text);
        EXPECT_EQ(b.what, kind::failed) << text;
        EXPECT_EQ(first_status(b), status) << text;
    }
}

TEST(Bounce, AWarningIsNotTheEnd) {
    EXPECT_EQ(letter("THIS IS A WARNING MESSAGE ONLY.\n421 connection timed out\n").what, kind::delayed);
    EXPECT_EQ(letter("Your message has been delayed: host not found\n").what, kind::delayed);
}

TEST(Bounce, APhraseGoesOverTheEndOfALine) {
    EXPECT_EQ(first_status(letter("your message could not\n  be delivered\n")), "5.0.0");
}

TEST(Bounce, ABoundaryThatIsNotThereHidesNothing) {
    EXPECT_EQ(read_bounce(with(postfix_dsn, "boundary=\"4Xyz", "boundary=\"5Xyz")).what, kind::failed);
}

TEST(Bounce, TheCopyOfTheMessageSaysNothing) {
    EXPECT_EQ(letter("Hello.\n----- Original message -----\n550 5.1.1 User unknown\n").what, kind::unknown);
    EXPECT_EQ(letter("Hello.\n\nReceived: from mx; 550 no\n").what, kind::unknown);
}

TEST(Bounce, AnAddressOnTheNetworkOrAVersionIsNoStatus) {
    EXPECT_EQ(status_in("at 192.0.5.1.1 with 5.5.2653.13"), "");
    EXPECT_EQ(status_in("5.1.1000"), "");
    EXPECT_EQ(status_in("1550 of them"), "");
    EXPECT_EQ(status_in("#5.1.1"), "5.1.1");
    EXPECT_EQ(status_in("550-5.7.26 x"), "5.7.26");
    EXPECT_EQ(status_in("250 2.0.0 ok"), "");
}

TEST(Bounce, AComplaintIsReadAndOneThatIsTakenBackIsNone) {
    const std::string_view arf = "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\n"
                                 "An email abuse report.\n--b\nContent-Type: message/feedback-report\n\n"
                                 "Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n"
                                 "Original-Rcpt-To: <kim@example.org>\n--b\nContent-Type: text/rfc822-headers\n\n"
                                 "Message-ID: <1@example.com>\n--b--\n";
    const auto b = read_bounce(arf);
    EXPECT_EQ(b.what, kind::complaint);
    EXPECT_EQ(b.feedback_type, "abuse");
    EXPECT_EQ(b.recipients.at(0).address, "kim@example.org");
    EXPECT_EQ(b.message_id, "1@example.com");
    EXPECT_EQ(read_bounce(with(arf, "Feedback-Type: abuse", "Feedback-Type: not-spam")).what, kind::automatic);
}

TEST(Bounce, AnAutomaticReplyIsNoBounce) {
    for (const auto* fields :
         {"Subject: Re: x\nAuto-Submitted: auto-replied\nFrom: <kim@example.org>\n", "Subject: Automatic reply: x\n",
          "Subject: Out of Office\n", "Precedence: auto_reply\n"}) {
        EXPECT_EQ(letter("I am away. The mailbox is full of mail.\n", fields).what, kind::automatic) << fields;
    }
    EXPECT_EQ(letter("User unknown\n", "Auto-Submitted: auto-replied\nFrom: MAILER-DAEMON@example.org\n").what,
              kind::failed);
}

TEST(Bounce, APersonsAnswerIsNoBounceWhateverItSays) {
    EXPECT_EQ(
        letter("I thought it was spam. Was my mailbox full?\n", "From: <kim@example.org>\nSubject: Re: notice\n").what,
        kind::unknown);
}

TEST(Bounce, WhatIsNoneIsUnknown) {
    for (const std::string_view text : {"", "\n", "Hello", "From: <kim@example.org>\n\nThank you!\n",
                                        "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b--"}) {
        EXPECT_EQ(read_bounce(text).what, kind::unknown) << text;
    }
}

TEST(Bounce, EveryPhraseOfTheTableIsReached) {
    for (const auto& [words, status] : known_words) {
        EXPECT_EQ(lower(words), words);
        EXPECT_EQ(status_in(words).front(), '5') << words;
        EXPECT_EQ(status.substr(0, 2), "5.") << words;
    }
}

TEST(Mime, DecodesWhatItReads) {
    const auto m =
        read_mime("Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b\n"
                  "Content-Transfer-Encoding: base64\n\nVXNlciB1bmtub3du\n--a b\n"
                  "Content-Type: TEXT/HTML\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n--a b--\nx");
    ASSERT_EQ(m.parts.size(), 2U);
    EXPECT_EQ(m.parts[0].text, "User unknown");
    EXPECT_EQ(m.parts[1].type, "text/html");
    EXPECT_EQ(m.parts[1].text, "a=bc\n");
}

TEST(Mime, ADeepOrAWideMessageIsReadInPart) {
    std::string deep;
    for (int i = 0; i < 50; ++i) {
        deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" + std::to_string(i) + "\n";
    }
    EXPECT_LE(read_mime(deep).parts.size(), 64U);
    std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 1'000; ++i) {
        wide += "--b\n\nx\n";
    }
    EXPECT_EQ(read_mime(wide).parts.size(), 64U);
}

} // namespace semel::receipts
