#include <delivery/core/standstill.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace {

const base::instant start{1h};

std::optional<trouble::entry> told(const delivery::breaker& b, const delivery::blame& who = {},
                                   base::instant now = start, const delivery::lane_pace& pace = {}) {
    return delivery::standstill({"relay-a", 0, b, who, pace}, now);
}

} // namespace

TEST(Standstill, ALaneThatIsWellSaysNothing) {
    delivery::breaker b;
    EXPECT_FALSE(told(b));
    b.failed(start);
    b.succeeded();
    EXPECT_FALSE(told(b));
}

TEST(Standstill, AStoppedLaneSaysWhyUntilSomethingSucceeds) {
    delivery::breaker b;
    b.stop(start, "535 5.7.8 AUTH: bad credentials");
    ASSERT_TRUE(told(b));
    EXPECT_EQ(told(b)->what, trouble::kind::stopped);
    EXPECT_THAT(told(b)->words, HasSubstr("535 5.7.8 AUTH: bad credentials"));
    EXPECT_EQ(told(b, {}, start + 61s)->what, trouble::kind::stopped) << "also while it tries again";
    b.succeeded();
    EXPECT_FALSE(told(b, {}, start + 61s));
}

TEST(Standstill, ASuspicionNamesTheAnswerAndHowManyGotIt) {
    delivery::breaker b;
    delivery::blame who;
    for (const auto* name : {"1", "2", "3", "4", "5"}) {
        who.refused({.notification = name, .campaign = "c-1", .domain = {}, .code = "0x00000401"}, start);
    }
    ASSERT_TRUE(told(b, who)) << "also where the lane is open because only retries are left";
    EXPECT_EQ(told(b, who)->what, trouble::kind::suspected);
    EXPECT_THAT(told(b, who)->words, HasSubstr("5 different recipients got the same refusal (0x00000401)"));
    b.suspect(start, "0x00000401 vendor");
    EXPECT_EQ(told(b, who)->what, trouble::kind::suspected);
    who.accepted("c-1", {}, start);
    b.clear();
    EXPECT_FALSE(told(b, who));
}

TEST(Standstill, TellsFailingFromThrottled) {
    delivery::breaker failing;
    for (int i = 0; i < 20; ++i) {
        failing.failed(start);
    }
    EXPECT_EQ(told(failing)->what, trouble::kind::failing);
    delivery::breaker slow;
    slow.pause_until(start + 30s);
    ASSERT_TRUE(told(slow));
    EXPECT_EQ(told(slow)->what, trouble::kind::throttled);
    EXPECT_THAT(told(slow)->words, HasSubstr("in 30 s"));
    EXPECT_TRUE(told(slow, {}, start + 35s)) << "short pauses one after the other are one trouble";
    EXPECT_FALSE(told(slow, {}, start + 45s));
    const auto limited = delivery::standstill({"apns", 50, slow, {}, {}}, start);
    EXPECT_EQ(limited->limit_per_s, 50);
}

namespace {

/// Half of what is sent to each domain in turn is refused, where `refused` names it.
delivery::lane_pace paced(const std::vector<std::string>& domains, const std::string& refused) {
    delivery::lane_pace pace;
    auto at = start;
    for (int i = 0; i < 20'000; ++i, at += 1ms) {
        const auto& domain = domains[static_cast<std::size_t>(i) % domains.size()];
        const bool no = (refused.empty() || domain == refused) && i / 100 % 2 == 0;
        no ? pace.throttled(domain, at, at) : pace.accepted(domain, at, at);
    }
    return pace;
}

} // namespace

TEST(Standstill, NamesThePaceThatTheGatewayTakes) {
    const auto pace = paced({""}, "");
    ASSERT_TRUE(pace.limit());
    const auto e = delivery::standstill({"smsc-a", 5000, {}, {}, pace}, start);
    ASSERT_TRUE(e);
    EXPECT_EQ(e->what, trouble::kind::throttled);
    EXPECT_EQ(e->limit_per_s, *pace.limit());
    EXPECT_THAT(e->words, HasSubstr("slowed down to "));
    const auto lower = delivery::standstill({"smsc-a", 1, {}, {}, pace}, start);
    EXPECT_EQ(lower->limit_per_s, 1) << "the configured limit holds in any case";
}

TEST(Standstill, WhateverHoldsALaneTheLimitInForceIsTold) {
    const auto pace = paced({""}, "");
    ASSERT_TRUE(pace.limit());
    delivery::breaker asked;
    asked.pause_until(start + 30s);
    EXPECT_EQ(delivery::standstill({"apns", 5000, asked, {}, pace}, start)->limit_per_s, *pace.limit());
    delivery::breaker stopped;
    stopped.stop(start, "403 InvalidProviderToken");
    EXPECT_EQ(delivery::standstill({"apns", 0, stopped, {}, pace}, start)->limit_per_s, *pace.limit());
}

TEST(Standstill, SaysNothingOfAPaceThatNobodyHasRefused) {
    delivery::lane_pace feeling;
    for (int i = 0; i < 200; ++i) {
        feeling.accepted("", start + i * 10ms, start + i * 10ms);
    }
    ASSERT_TRUE(feeling.take(start + 2s, 1s));
    EXPECT_FALSE(told({}, {}, start + 2s, feeling));
}

TEST(Standstill, NamesADomainOnlyWhenItIsNotOnePersons) {
    const auto large = told({}, {}, start, paced({"slow.example", "a.example", "b.example"}, "slow.example"));
    ASSERT_TRUE(large);
    EXPECT_THAT(large->words, HasSubstr("slow.example to "));
    std::vector<std::string> domains(200, "a.example");
    domains.front() = "family.example";
    const auto small = told({}, {}, start, paced(domains, "family.example"));
    ASSERT_TRUE(small);
    EXPECT_THAT(small->words, HasSubstr("1 domain"));
    EXPECT_THAT(small->words, Not(HasSubstr("family.example")));
}
