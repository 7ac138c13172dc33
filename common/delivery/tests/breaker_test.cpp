#include <delivery/core/breaker.hpp>

#include <gtest/gtest.h>

using namespace semel;
using namespace std::chrono_literals;

namespace {
const base::instant start{1h};
}

TEST(Breaker, AFewFailuresSayNothing) {
    delivery::breaker b;
    for (int i = 0; i < 19; ++i) {
        b.failed(start);
    }
    EXPECT_FALSE(b.blocks(start));
}

TEST(Breaker, BlocksOnAShareOfFailuresAndWaitsLongerEachTime) {
    delivery::breaker b;
    const auto fail_20 = [&](base::instant at) {
        for (int i = 0; i < 20; ++i) {
            b.failed(at);
        }
    };
    fail_20(start);
    EXPECT_TRUE(b.blocks(start + 1s));
    EXPECT_FALSE(b.blocks(start + 2s));
    fail_20(start + 2s);
    EXPECT_TRUE(b.blocks(start + 5s));
    EXPECT_FALSE(b.blocks(start + 6s));
    b.succeeded();
    fail_20(start + 10s);
    EXPECT_FALSE(b.blocks(start + 12s)) << "a success starts the pauses anew";
}

TEST(Breaker, FailsFromTheFirstPauseUntilSomethingSucceeds) {
    delivery::breaker b;
    EXPECT_EQ(b.failing_for(start), 0s);
    b.stop(start, "bad credentials");
    b.stop(start + 60s, "bad credentials");
    EXPECT_EQ(b.failing_for(start + 70s), 70s);
    b.clear();
    EXPECT_EQ(b.failing_for(start + 200s), 0s);
    for (int i = 0; i < 20; ++i) {
        b.failed(start + 200s);
    }
    b.failed(start + 202s);
    EXPECT_EQ(b.failing_for(start + 210s), 10s);
}

TEST(Breaker, AfterAPauseOneFailureIsEnoughUntilSomethingSucceeds) {
    delivery::breaker b;
    for (int i = 0; i < 20; ++i) {
        b.failed(start);
    }
    EXPECT_TRUE(b.unproven());
    b.failed(start + 1s);
    EXPECT_FALSE(b.blocks(start + 2s)) << "sent before it blocked: says nothing new";
    b.failed(start + 2s);
    EXPECT_TRUE(b.blocks(start + 5s));
    b.succeeded();
    EXPECT_FALSE(b.unproven());
}

TEST(Breaker, MostlyGoodAnswersKeepItPassing) {
    delivery::breaker b;
    for (int i = 0; i < 1'000; ++i) {
        i % 3 == 0 ? b.failed(start) : b.succeeded();
        ASSERT_FALSE(b.blocks(start)) << i;
    }
}

TEST(Breaker, ASuspicionIsShortAtFirstAndEndsWithASuccess) {
    delivery::breaker b;
    b.suspect(start, "554 5.7.1");
    EXPECT_TRUE(b.blocks(start + 1s));
    EXPECT_EQ(b.stopped_because(), "554 5.7.1");
    EXPECT_FALSE(b.blocks(start + 2s));
    EXPECT_TRUE(b.unproven()) << "one message tries";
    b.suspect(start + 2s, "554 5.7.1");
    EXPECT_TRUE(b.blocks(start + 5s)) << "longer each time";
    b.clear();
    EXPECT_FALSE(b.blocks(start + 5s));
    EXPECT_TRUE(b.stopped_because().empty());
}

TEST(Breaker, ASuccessThatWasUnderWayEndsNoStopThatTheGatewayAskedFor) {
    delivery::breaker b;
    b.stop(start, "535 bad credentials");
    b.clear();
    EXPECT_TRUE(b.blocks(start + 30s));
}

TEST(Breaker, AConfigurationErrorStopsTheLaneAndSaysWhy) {
    delivery::breaker b;
    b.stop(start, "535 bad credentials");
    EXPECT_TRUE(b.blocks(start + 30s));
    EXPECT_EQ(b.stopped_because(), "535 bad credentials");
    b.succeeded();
    EXPECT_TRUE(b.stopped_because().empty());
}
