// Redis forgets, alone and together with the engine; partitions move; a sleeper wakes up.

#include "stage.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/slowness.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace semel::delivery::testing {
namespace {

bool killed(int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

std::size_t acceptances_at_the_pause(const stage& on) {
    wait_until(
        [&, before = std::size_t{0}]() mutable {
            return std::exchange(before, on.acceptances()) == on.acceptances() && before > 0;
        },
        "the pause");
    return on.acceptances();
}

TEST(RedisLost, WhileTheEngineLivesNothingIsInDoubt) {
    stage on;
    on.gateways = fmt::format("gateway-a:32:{}:3:0", 1'500 / support::slowness); // lasts longer than all the losses
    on.dispatch("ok", 6'000);
    on.start();
    std::size_t sent = 0;
    const auto some_more = [&] {
        sent = on.acceptances() + 500;
        wait_until([&] { return on.acceptances() >= sent; }, "it to go on");
    };
    some_more();
    on.redis.tell("FLUSHALL");
    some_more();
    on.redis.tell("SAVE");
    some_more();
    on.redis.kill(); // comes back from the file: it has the head, and has lost claims
    on.redis.start();
    some_more();
    on.redis.kill();
    on.redis.forget_file();
    on.redis.start();
    some_more();
    on.redis.tell("SWAPDB 0 1");
    some_more();
    on.redis.tell("SCRIPT FLUSH");
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U);
    EXPECT_EQ(on.acceptances(), 6'000U);
}

TEST(RedisLost, AwayForAWhileSendingOnlyPauses) {
    stage on;
    on.gateways = "gateway-a:32:1000:3:0";
    on.dispatch("ok", 2'000);
    on.start();
    wait_until([&] { return on.acceptances() >= 300; }, "it to send");
    on.redis.kill();
    const auto paused_at = acceptances_at_the_pause(on);
    on.dispatch("ok", 10); // takes its time: nothing more may go out meanwhile
    EXPECT_LE(on.acceptances(), paused_at + 32);
    on.redis.start();
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U);
    EXPECT_EQ(on.acceptances(), 2'010U);
}

// A Redis that answers, with errors: neither a silent standstill nor doubt.
TEST(RedisLost, ToAFullMemorySendingPausesAndGoesOnWhenThereIsRoom) {
    stage on;
    on.gateways = "gateway-a:32:1000:3:0";
    on.dispatch("ok", 2'000);
    on.start();
    wait_until([&] { return on.acceptances() >= 300; }, "it to send");
    on.redis.tell("CONFIG SET maxmemory 1");
    const auto paused_at = acceptances_at_the_pause(on);
    on.dispatch("ok", 10); // takes its time: nothing more may go out meanwhile
    EXPECT_LE(on.acceptances(), paused_at + 32);
    on.redis.tell("CONFIG SET maxmemory 0");
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U);
    EXPECT_EQ(on.acceptances(), 2'010U);
}

// It answers its gateways, commits, and leaves the group for good: another one, which reaches Redis, does not have to
// wait for the end of its session. With nothing in doubt, although the claims are gone.
TEST(RedisLost, ForTooLongAnEngineGivesItsPartitionsUp) {
    stage on;
    on.session = 300s;
    on.cut_off_after = 2s;
    on.gateways = "gateway-a:32:500:3:0";
    on.dispatch("ok", 2'000);
    on.start("a");
    wait_until([&] { return on.acceptances() >= 300; }, "it to send");
    on.redis.kill();
    EXPECT_TRUE(WIFEXITED(on.end_of("a")));
    EXPECT_EQ(on.reserved(), 0U);
    on.redis.start();
    on.start("b");
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U);
    EXPECT_EQ(on.acceptances(), 2'000U);
}

// While one waits for Redis with partitions that it is taking over, it answers the group: the second time that it is
// asked for partitions, it has them from a take-over that does not end.
TEST(RedisLost, InTheMiddleOfATakeOverHoldsNobodyElseUp) {
    stage on;
    on.session = 300s;
    on.cut_off_after = 300s;
    on.gateways = "gateway-a:32:500:3:0";
    on.dispatch("ok", 1'000);
    on.start("a", "delivery.revoke.closing:2");
    wait_until([&] { return on.acceptances() >= 100; }, "it to send");
    on.redis.kill();
    bool asked_twice = false;
    for (const auto* another : {"b", "c", "d", "e"}) {
        on.start(another); // two that come at the same time are one rebalance
        for (const auto until = std::chrono::steady_clock::now() + 5s * support::slowness;
             !asked_twice && std::chrono::steady_clock::now() < until;) {
            asked_twice = !on.running("a");
            std::this_thread::sleep_for(50ms); // the pause between two looks
        }
    }
    EXPECT_TRUE(asked_twice);
    on.redis.start();
    on.start("a");
    on.expect_the_truth();
}

// Redis and the engine together: only the range says what may be out. And once more in the middle of taking over: the
// new head must not make lost claims look like claims that were never made.
TEST(RedisLost, TogetherWithTheEngineTheRangeIsInDoubtThroughAnyNumberOfCrashes) {
    for (const auto* second : {"", "delivery.take_over.head_raised", "delivery.take_over.marker_committed",
                               "delivery.inherited.looked_up"}) {
        SCOPED_TRACE(second);
        stage on;
        on.gateways = "gateway-a:32:1500:3:0";
        on.dispatch("ok", 2'000);
        on.start();
        wait_until([&] { return on.acceptances() > 300; }, "it to send");
        on.signal("a", SIGSTOP);
        on.redis.tell("FLUSHALL");
        on.kill("a");
        const auto range = on.reserved();
        if (*second != 0) {
            on.start("a", second);
            EXPECT_TRUE(killed(on.end_of("a")));
        }
        on.start();
        on.expect_the_truth();
        EXPECT_LE(on.in_doubt(), range);
        EXPECT_GT(on.in_doubt(), 0U);
    }
}

TEST(RedisLost, KilledWhileItWritesTheClaimsAnew) {
    for (const auto* point :
         {"delivery.rebuild.begun", "delivery.rebuild.head_written", "delivery.rebuild.committed"}) {
        SCOPED_TRACE(point);
        stage on;
        on.gateways = "gateway-a:32:1500:3:0";
        on.dispatch("ok", 3'000);
        on.start("a", point);
        wait_until([&] { return on.acceptances() > 300; }, "it to send");
        on.redis.tell("FLUSHALL");
        EXPECT_TRUE(killed(on.end_of("a")));
        on.start();
        on.expect_the_truth();
    }
}

// A master that follows another one for a moment comes back without its last claims, and keeps its connections: one who
// knew it before must not believe what is missing now.
TEST(RedisLost, AMasterThatWasDemotedAndPromotedAgainCostsDoubtsNeverASecondMessage) {
    stage on;
    const support::redis_server other;
    on.gateways = "gateway-a:32:1500:3:0";
    on.dispatch("ok", 3'000);
    on.start("a");
    on.start("b");
    wait_until([&] { return on.acceptances() > 300; }, "them to send");
    const auto follow = [](const support::redis_server& who, const support::redis_server& whom) {
        who.tell(fmt::format("REPLICAOF 127.0.0.1 {}", whom.port()));
        wait_until([&] { return who.tell("INFO replication").contains("master_link_status:up"); }, "the copy");
        who.tell("REPLICAOF NO ONE");
    };
    other.tell("CONFIG SET repl-diskless-sync-delay 0");
    on.redis.tell("CONFIG SET repl-diskless-sync-delay 0");
    follow(other, on.redis);
    wait_until([&, until = on.acceptances() + 300] { return on.acceptances() > until; }, "claims that it has not");
    on.signal("b", SIGSTOP); // keeps its connection, and hears nothing
    on.signal("a", SIGSTOP);
    follow(on.redis, other);
    on.kill("a");
    on.signal("b", SIGCONT);
    on.expect_the_truth(90s * support::slowness);
    EXPECT_GT(on.in_doubt(), 0U);
}

TEST(Group, PartitionsMoveToASecondEngineAndNobodyGetsItTwice) {
    stage on;
    on.gateways = "gateway-a:32:800:3:0";
    on.dispatch("ok", 4'000);
    on.start("a");
    wait_until([&] { return on.acceptances() > 200; }, "it to send");
    on.start("b");
    wait_until([&] { return on.acceptances() > 1'500; }, "both to send");
    on.signal("b", SIGTERM);
    const auto status = on.end_of("b");
    EXPECT_TRUE(WIFEXITED(status));
    on.expect_the_truth();
    EXPECT_EQ(on.in_doubt(), 0U) << "nothing crashed";
    EXPECT_EQ(on.acceptances(), 4'000U);
}

TEST(Group, KilledWhileItGivesPartitionsUp) {
    for (const auto* point : {"delivery.revoke.closing", "delivery.revoke.drained", "delivery.revoke.committed"}) {
        SCOPED_TRACE(point);
        stage on;
        on.gateways = "gateway-a:32:0:3:0";
        on.dispatch("ok", 1'500);
        on.start("a", point);
        wait_until([&] { return on.acceptances() > 100; }, "it to send");
        on.start("b");
        EXPECT_TRUE(killed(on.end_of("a")));
        on.start("a");
        on.expect_the_truth();
        EXPECT_LE(on.in_doubt(), 32U);
    }
}

TEST(Group, AnOwnerThatSleptTooLongClaimsNothing) {
    stage on;
    on.gateways = "gateway-a:32:0:3:0";
    on.dispatch("ok", 3'000);
    on.start("a", "delivery.claim.taken:400:stop");
    wait_until([&] { return on.stopped("a"); }, "it to fall asleep");
    on.start("b"); // gets the partitions when the session of the sleeper has ended
    on.expect_the_truth();
    const auto before = on.acceptances();
    on.dispatch("ok", 500);
    on.signal("a", SIGCONT);
    on.expect_the_truth();
    // The one that it had claimed goes out, and those that were claimed with it: they are in doubt, and listed.
    EXPECT_LE(on.acceptances(), before + 500 + 32);
    EXPECT_LE(on.in_doubt(), 32U);
}

} // namespace
} // namespace semel::delivery::testing
