#include <config/values.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Rate, IsMessagesPerTime) {
    EXPECT_DOUBLE_EQ(parse_rate("20000/s")->per_second, 20'000);
    EXPECT_DOUBLE_EQ(parse_rate("600/m")->per_second, 10);
    EXPECT_DOUBLE_EQ(parse_rate("1/h")->per_second, 1.0 / 3600);
    EXPECT_DOUBLE_EQ(parse_rate("0.5/s")->per_second, 0.5);
}

TEST(Rate, RefusesWhatNoGatewayHas) {
    for (const auto* text :
         {"",           "/",         "/s",      "5",       "5/",    "5/d",
          "5/ s",       " 5/s",      "5 /s",    "+5/s",    "-1/s",  "-0/s",
          "0/s",        "0.0/h",     "1e308/s", "1e9/s",   "nan/s", "inf/s",
          "infinity/s", "0x10/s",    "1,5/s",   "1_000/s", "5/s/s", "99999999999999999999999999999999999/s",
          "0.1/h",      "10000001/s"}) {
        const auto rate = parse_rate(text);
        EXPECT_FALSE(rate) << text << " -> " << rate->per_second;
    }
    EXPECT_FALSE(parse_rate(std::string(400, '9') + "/s"));
    EXPECT_FALSE(parse_rate("0." + std::string(400, '0') + "1/s"));
}

TEST(Bytes, HaveAUnitOrNone) {
    EXPECT_EQ(*parse_bytes("4096"), 4'096U);
    EXPECT_EQ(*parse_bytes("500MB"), 500'000'000U);
    EXPECT_EQ(*parse_bytes("32GiB"), std::uint64_t{32} << 30);
    EXPECT_EQ(*parse_bytes("1024TiB"), std::uint64_t{1} << 50);
    for (const auto* text :
         {"", "0", "0MB", "MB", "-1", "+1", "1.5GB", "1 GB", "1gb", "1025TiB", "18446744073709551616"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(Duration, HasAUnit) {
    EXPECT_EQ(*parse_duration("500ms"), 500ms);
    EXPECT_EQ(*parse_duration("30s"), 30s);
    EXPECT_EQ(*parse_duration("10m"), 10min);
    EXPECT_EQ(*parse_duration("2h"), 2h);
    for (const auto* text : {"", "30", "s", "-1s", "1.5s", "1 s", "1d", "99999999999s", "9223372036854775807h"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Endpoint, IsHostAndPort) {
    EXPECT_EQ(parse_endpoint("127.0.0.1:16379")->port, 16379);
    EXPECT_EQ(parse_endpoint("[::1]:80")->host, "::1");
    EXPECT_EQ(parse_endpoint("redis.internal:6379")->host, "redis.internal");
    for (const auto* text :
         {"", ":", "host", "host:", "host:0", "host:-1", "host:65536", "host:80x", "host: 80", ":80", "::1:80",
          "user@host:80", "a b:80", "host/path:80", "redis://host:80", "[::1:80", "[]:80", "host:4294967376"}) {
        EXPECT_FALSE(parse_endpoint(text)) << text;
    }
}

TEST(HttpsUrl, IsHttpsAndNothingElse) {
    for (const auto* text : {"https://api.push.apple.com:443", "https://127.0.0.1:8443", "https://host",
                             "https://[::1]:8443", "https://host/v1/token"}) {
        EXPECT_TRUE(parse_https_url(text)) << text;
    }
    for (const auto* text : {"",
                             "host",
                             "http://host",
                             "file:///etc/passwd",
                             "gopher://host:70/",
                             "HTTPS//host",
                             "https://",
                             "https:///path",
                             "https://user:secret@host",
                             "https://user@host",
                             "https://host?x=1",
                             "https://host#x",
                             "https://host:0",
                             "https://host:99999",
                             "https://ho st",
                             "https://host\\@evil",
                             "https://169.254.169.254/latest",
                             "https://[::ffff:169.254.169.254]",
                             "https://[fe80::1]",
                             "https://host:443:443"}) {
        EXPECT_FALSE(parse_https_url(text)) << text;
    }
}

TEST(HttpsUrl, DoesNotRepeatAPassword) {
    EXPECT_THAT(parse_https_url("https://user:hunter2@host").error().why(), Not(HasSubstr("hunter2")));
}

TEST(Bootstrap, IsAListOfEndpoints) {
    EXPECT_TRUE(parse_bootstrap("a:9092"));
    EXPECT_TRUE(parse_bootstrap("a:9092,b:9092"));
    for (const auto* text : {"", ",", "a:9092,", ",a:9092", "a:9092, b:9092", "a", "kafka://a:9092"}) {
        EXPECT_FALSE(parse_bootstrap(text)) << text;
    }
}

TEST(Dsn, HoldsNoPassword) {
    for (const auto* text :
         {"postgresql:///semel?host=/run/semel", "postgresql://semel@db:5432/semel?passfile=/etc/semel/pass",
          "postgres://db/semel", "host=db dbname=semel", "postgresql://[::1]:5432/semel"}) {
        EXPECT_TRUE(parse_dsn(text)) << text;
    }
    for (const auto* text : {"", "semel", "mysql://db/semel", "file:///etc/passwd?x=y"}) {
        EXPECT_FALSE(parse_dsn(text)) << text;
    }
    for (const auto* text : {"postgresql://semel:hunter2@db/semel", "postgresql:///semel?password=hunter2",
                             "host=db password=hunter2", "postgresql://semel:hunter2@db"}) {
        const auto dsn = parse_dsn(text);
        ASSERT_FALSE(dsn) << text;
        EXPECT_THAT(dsn.error().why(), Not(HasSubstr("hunter2")));
    }
}

TEST(Nearest, GuessesATypoAndNotMore) {
    const std::vector<std::string> known{"bootstrap", "address", "rate", "ca"};
    EXPECT_EQ(nearest("bootstap", known), "bootstrap");
    EXPECT_EQ(nearest("adress", known), "address");
    EXPECT_EQ(nearest("rates", known), "rate");
    EXPECT_EQ(nearest("window", known), std::nullopt);
    EXPECT_EQ(nearest("x", known), std::nullopt);
    EXPECT_EQ(nearest("", known), std::nullopt);
}

} // namespace
} // namespace semel::config
