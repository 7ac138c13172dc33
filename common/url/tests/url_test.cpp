#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <url/url.hpp>

namespace semel::url {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, IsTakenApart) {
    const auto all = parse("https://[::1]:8443/base/");
    ASSERT_TRUE(all) << all.error().why();
    EXPECT_TRUE(all->tls);
    EXPECT_EQ(all->host, "::1");
    EXPECT_EQ(all->port, 8443);
    EXPECT_EQ(all->authority, "[::1]:8443");
    EXPECT_EQ(all->path, "/base/");
    const auto least = parse("http://example.com");
    ASSERT_TRUE(least) << least.error().why();
    EXPECT_FALSE(least->tls);
    EXPECT_EQ(least->host, "example.com");
    EXPECT_EQ(least->port, 80);
    EXPECT_EQ(least->authority, "example.com");
    EXPECT_EQ(least->path, "");
    EXPECT_EQ(parse("https://10.0.0.1")->port, 443);
    EXPECT_EQ(parse("https://10.0.0.1")->host, "10.0.0.1");
}

TEST(Url, WhatIsNoneIsRefused) {
    for (const auto* text : {"",
                             "example.com",
                             "ftp://example.com",
                             "http://",
                             "http:///path",
                             "http://:80",
                             "http://a:b",
                             "http://a:0",
                             "http://a:70000",
                             "http://a:80x",
                             "http://a:1:2",
                             "http://u@a",
                             "http://a?x",
                             "http://a#x",
                             "http://[::1",
                             "http://[::1]x",
                             "http://a b",
                             "http://a\\@b",
                             "http://a%20b",
                             "http://a\n"}) {
        EXPECT_FALSE(parse(text)) << text;
    }
}

TEST(Url, ARefusalDoesNotRepeatAPassword) {
    for (const auto* text : {"https://user:hunter2@host", "https://user:hunter2@ho st"}) {
        const auto refused = parse(text);
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().why(), Not(HasSubstr("hunter2")));
    }
}

} // namespace
} // namespace semel::url
