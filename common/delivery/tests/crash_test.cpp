// The engine is killed at every failpoint and at random moments. Nobody is lost, nobody gets it twice; what is in doubt
// is bounded by what may be out, and all of it is listed.

#include "stage.hpp"

#include <failpoint/failpoint.hpp>

#include <gtest/gtest.h>
#include <support/slowness.hpp>
#include <sys/wait.h>

#include <csignal>
#include <random>
#include <thread>

namespace semel::delivery::testing {
namespace {

constexpr std::size_t window = 32;

/// Points that an engine passes by itself, on its way up and while it sends.
std::vector<std::string> points_of_a_run() {
    std::vector<std::string> all;
    for (const auto& p : failpoint::points) {
        const std::string name{p.name};
        const auto needs_more = name.starts_with("delivery.rebuild.") || name.starts_with("delivery.revoke.") ||
                                name.starts_with("delivery.drain.") || name.starts_with("delivery.commit.unknown") ||
                                name == "delivery.commit.rebuilt" || name == "delivery.commit.read_back" ||
                                name == "delivery.message.awaiting";
        if (name.starts_with("delivery.") && !needs_more) {
            all.push_back(name);
        }
    }
    return all;
}

bool killed(int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(Crash, AtEveryFailpointNobodyIsLostAndNobodyGetsItTwice) {
    stage on;
    on.gateways = "gateway-a:32:0:3:0";
    std::size_t kills = 0;
    for (const auto& point : points_of_a_run()) {
        SCOPED_TRACE(point);
        on.dispatch("ok", 400);
        if (point.starts_with("delivery.inherited.")) { // there must be something to inherit
            on.start("a", "delivery.message.answered:40");
            EXPECT_TRUE(killed(on.end_of("a", 30s * support::slowness)));
            ++kills;
        }
        // Points of single messages: in the middle of the stream.
        const bool of_a_message =
            point.find(".message.") != std::string::npos || point.find(".claim.") != std::string::npos;
        on.start("a", point + (of_a_message ? ":40" : ""));
        const auto status = on.end_of("a", 30s * support::slowness);
        EXPECT_TRUE(killed(status)) << "it did not die there";
        ++kills;
    }
    on.dispatch("ok", 100);
    on.start();
    on.expect_the_truth();
    EXPECT_LE(on.in_doubt(), kills * window);
    std::printf("%zu kills, %zu notifications, %zu in doubt\n", kills, on.dispatched(), on.in_doubt());
}

TEST(Crash, AtRandomMomentsWhatIsInDoubtIsTheFlight) {
    stage on;
    on.gateways = "gateway-a:32:0:5:0";
    const auto seed = std::random_device{}();
    std::mt19937 random{seed};
    SCOPED_TRACE(seed);
    std::size_t doubt = 0;
    for (int kill = 0; kill < 12; ++kill) {
        on.dispatch("ok", 1'500);
        const auto so_far = on.acceptances();
        on.start();
        wait_until([&] { return on.acceptances() > so_far + 50; }, "it to send");
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 200}); // the random moment
        on.kill("a");
    }
    on.start();
    on.expect_the_truth();
    doubt = on.in_doubt();
    EXPECT_LE(doubt, 12 * window);
    EXPECT_GT(doubt, 0U) << "killed with messages out";
    std::printf("seed %u: 12 kills, %zu notifications, %zu in doubt\n", seed, on.dispatched(), doubt);
    for (const auto& [notification, s] : on.stories()) {
        for (const auto& e : s.events) {
            if (e.kind() == v1::EVENT_IN_DOUBT) {
                EXPECT_EQ(e.gateway(), "gateway-a") << "a resend must know where to stay";
            }
        }
    }
}

TEST(Crash, WhileDrainingOrAwaiting) {
    stage on;
    on.gateways = "gateway-a:32:0:3:0";
    on.dispatch("late", 20);
    on.dispatch("ok", 200);
    on.start("a", "delivery.message.awaiting");
    EXPECT_TRUE(killed(on.end_of("a")));
    for (const auto* point : {"delivery.drain.begun", "delivery.drain.committed"}) {
        SCOPED_TRACE(point);
        on.dispatch("ok", 3'000);
        const auto so_far = on.acceptances();
        on.start("a", point);
        wait_until([&] { return on.acceptances() > so_far + 50; }, "it to send");
        on.signal("a", SIGTERM);
        EXPECT_TRUE(killed(on.end_of("a")));
    }
    on.start();
    on.expect_the_truth();
    EXPECT_LE(on.in_doubt(), 20 + 2 * window);
}

TEST(Crash, WhatIsUnansweredAtTheEndOfADrainIsInDoubt) {
    stage on;
    on.dispatch("never", 7);
    on.dispatch("ok", 100);
    on.start();
    wait_until([&] { return on.acceptances() == 107; }, "all to be sent");
    on.signal("a", SIGTERM);
    const auto status = on.end_of("a");
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(on.in_doubt(), 7U);
    EXPECT_EQ(on.reserved(), 0U);
    on.start();
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 107U);
}

// Stopped in mid-send at a slow rate, when far more is reserved than sent. Then Redis loses everything: only an empty
// range needs no claims.
TEST(Stop, InMidSendLeavesAnEmptyRangeThatNeedsNoClaims) {
    stage on;
    on.gateways = "gateway-a:8:100:3:0";
    on.dispatch("ok", 500);
    on.start();
    for (int stops = 1; stops <= 2; ++stops) {
        const auto before = on.acceptances();
        wait_until([&] { return on.acceptances() > before + 60; }, "it to send");
        on.signal("a", SIGTERM);
        EXPECT_TRUE(WIFEXITED(on.end_of("a")));
        EXPECT_EQ(on.reserved(), 0U);
        on.redis.kill();
        on.redis.forget_file();
        on.redis.start();
        on.start();
    }
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U) << "nothing was killed";
    EXPECT_EQ(on.acceptances(), 500U);
}

} // namespace
} // namespace semel::delivery::testing
