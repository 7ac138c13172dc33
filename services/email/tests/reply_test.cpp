#include <email/core/reply.hpp>
#include <gtest/gtest.h>

namespace semel::email {
namespace {

reply the_only(std::string_view bytes) {
    reply_parser p;
    p.feed(bytes);
    auto r = p.next();
    EXPECT_TRUE(r) << bytes;
    EXPECT_FALSE(p.next());
    return r.value_or(reply{});
}

TEST(ReplyParser, ReadsCodeStatusAndText) {
    const auto r = the_only("250 2.1.5 Ok\r\n");
    EXPECT_EQ(r.code, 250);
    EXPECT_EQ(r.status, (enhanced_status{2, 1, 5}));
    EXPECT_EQ(r.text(), "Ok");
    EXPECT_EQ(r.short_code(), "250 2.1.5");
}

TEST(ReplyParser, JoinsTheLinesOfOneReply) {
    const auto r = the_only("550-5.1.1 no such\r\n550-5.1.1 user\r\n550 5.1.1 here\r\n");
    EXPECT_EQ(r.lines.size(), 3U);
    EXPECT_EQ(r.text(), "no such user here");
    EXPECT_EQ(r.status, (enhanced_status{5, 1, 1}));
}

TEST(ReplyParser, TakesABareCodeAndABareLineFeed) {
    EXPECT_EQ(the_only("250\r\n").code, 250);
    EXPECT_EQ(the_only("250 ok\n").text(), "ok");
    EXPECT_EQ(the_only("354-\r\n354 \r\n").code, 354);
}

TEST(ReplyParser, IgnoresAStatusOfAnotherClass) {
    EXPECT_FALSE(the_only("550 2.0.0 what\r\n").status);
    EXPECT_FALSE(the_only("250 2.0.0.1 what\r\n").status);
    EXPECT_FALSE(the_only("250 2.1000.0 what\r\n").status);
}

TEST(ReplyParser, NoAnswerIsCompleteBeforeItsLastLineEnd) {
    const std::string whole = "250-first\r\n250 2.0.0 Ok: queued as 4B1\r\n";
    for (std::size_t n = 0; n < whole.size(); ++n) {
        reply_parser p;
        p.feed(whole.substr(0, n));
        EXPECT_FALSE(p.next()) << n;
        p.feed(whole.substr(n));
        EXPECT_TRUE(p.next()) << n;
    }
}

TEST(ReplyParser, SeparatesPipelinedReplies) {
    reply_parser p;
    p.feed("250 a\r\n250 b\r\n354 c\r\n25");
    EXPECT_EQ(p.next()->text(), "a");
    EXPECT_EQ(p.next()->text(), "b");
    EXPECT_EQ(p.next()->code, 354);
    EXPECT_FALSE(p.next());
    EXPECT_EQ(p.pending(), 2U);
    p.feed("0 d\r\n");
    EXPECT_EQ(p.next()->text(), "d");
    EXPECT_EQ(p.pending(), 0U);
}

TEST(ReplyParser, RefusesWhatIsNoReply) {
    for (const std::string_view bad :
         {"hello\r\n", "99 x\r\n", "650 x\r\n", "150 x\r\n", "250x\r\n", "\r\n", "2 0\r\n", "250-a\r\n550 b\r\n"}) {
        reply_parser p;
        p.feed(bad);
        EXPECT_FALSE(p.next()) << bad;
        EXPECT_TRUE(p.malformed()) << bad;
    }
}

TEST(ReplyParser, RefusesAReplyWithoutEnd) {
    reply_parser long_line;
    long_line.feed("250 " + std::string(reply_parser::limit, 'x'));
    EXPECT_FALSE(long_line.next());
    EXPECT_TRUE(long_line.malformed());
    reply_parser many_lines;
    for (int i = 0; i < 2000 && !many_lines.malformed(); ++i) {
        many_lines.feed("250-x\r\n");
        EXPECT_FALSE(many_lines.next());
    }
    EXPECT_TRUE(many_lines.malformed());
}

TEST(ReplyParser, ReadsForEverWithoutGrowing) {
    reply_parser p;
    for (int i = 0; i < 100'000; ++i) {
        p.feed("250 ok\r\n25");
        ASSERT_TRUE(p.next());
        p.feed("0 ok\r\n");
        ASSERT_TRUE(p.next());
    }
    EXPECT_EQ(p.pending(), 0U);
}

} // namespace
} // namespace semel::email
