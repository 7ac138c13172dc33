#include <delivery/standstill.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

const base::instant start{1h};

std::optional<trouble::entry> told(const delivery::breaker& b, const delivery::blame& who = {},
                                   base::instant now = start) {
    return delivery::standstill("relay-a", 0, b, who, now);
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
    const auto limited = delivery::standstill("apns", 50, slow, {}, start);
    EXPECT_EQ(limited->limit_per_s, 50);
}
