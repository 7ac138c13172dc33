#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <trouble/trouble.hpp>

using namespace semel;
using namespace std::chrono_literals;
using trouble::entry;
using trouble::kind;
using trouble::report;

namespace {

const auto noon = base::from_rfc3339("2026-11-24T12:00:00Z").value();

entry stopped(std::string gateway, base::timestamp since = noon) {
    return {.subject = std::move(gateway), .what = kind::stopped, .since = since, .words = "it refuses us"};
}

} // namespace

TEST(Trouble, SinceIsWhenItBeganAndNotWhenItWasLastSeen) {
    const auto first = trouble::carry({}, {stopped("relay-a", {})}, noon);
    EXPECT_EQ(first.front().since, noon);
    auto failing = stopped("relay-a", {});
    failing.what = kind::failing;
    const auto second = trouble::carry(first, {stopped("relay-a", {}), stopped("relay-b", {}), failing}, noon + 1min);
    EXPECT_EQ(second[0].since, noon);
    EXPECT_EQ(second[1].since, noon + 1min) << "another gateway";
    EXPECT_EQ(second[2].since, noon + 1min) << "another trouble of the same";
    EXPECT_EQ(trouble::carry(trouble::carry(second, {}, noon + 2min), {stopped("relay-a", {})}, noon + 3min)[0].since,
              noon + 3min)
        << "it was over in between";
}

TEST(Trouble, IsReadBackAsItWasTold) {
    auto limited = stopped("apns");
    limited.what = kind::throttled;
    limited.limit_per_s = 50;
    const report told{.service = "push", .instance = "push-2", .entries = {stopped("fcm"), limited}};
    const auto read = trouble::decode(trouble::encode(told));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->service, "push");
    EXPECT_EQ(read->instance, "push-2");
    ASSERT_EQ(read->entries.size(), 2U);
    EXPECT_EQ(read->entries[0].subject, "fcm");
    EXPECT_EQ(read->entries[0].what, kind::stopped);
    EXPECT_EQ(read->entries[0].since, noon);
    EXPECT_EQ(read->entries[0].words, "it refuses us");
    EXPECT_FALSE(read->entries[0].limit_per_s);
    EXPECT_EQ(read->entries[1].limit_per_s, 50);
}

TEST(Trouble, WhateverStandsInRedisIsReadOrRefused) {
    for (const auto* bad : {"", "{", "[]", "7", "{}", R"({"entries":7})", "\xff"}) {
        EXPECT_FALSE(trouble::decode(bad)) << bad;
    }
    const auto odd = trouble::decode(
        R"({"service":7,"entries":[7,null,{"what":"a later kind","since_us":"x","limit_per_s":"y","words":"a\u0007\nb"}]})");
    ASSERT_TRUE(odd);
    ASSERT_EQ(odd->entries.size(), 1U);
    EXPECT_EQ(odd->entries[0].what, kind::other);
    EXPECT_THAT(odd->entries[0].words, testing::Not(testing::HasSubstr("\n"))) << "it goes to a terminal";
    const auto all =
        trouble::decode(trouble::encode({.service = "email",
                                         .instance = "email",
                                         .entries = std::vector<entry>(5'000, stopped(std::string(9'000, 'x')))}));
    ASSERT_TRUE(all);
    EXPECT_LE(all->entries.size(), 100U);
    EXPECT_LE(all->entries[0].subject.size(), 100U);
}

TEST(Trouble, TwoProcessesOfAServiceTellItOnce) {
    const auto all =
        trouble::merged({{.service = "email", .instance = "email-2", .entries = {stopped("relay-a", noon)}},
                         {.service = "email", .instance = "email", .entries = {stopped("relay-a", noon + 1min)}},
                         {.service = "sms", .instance = "sms", .entries = {stopped("relay-a", noon)}}});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].entries.front().since, noon);
    EXPECT_EQ(all[0].instance, "email-2");
    EXPECT_EQ(all[1].service, "sms");
}
