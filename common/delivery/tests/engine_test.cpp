// One engine over a real Kafka and a Redis of the test's own: what becomes of every kind of answer and of every kind of
// campaign.

#include "stage.hpp"

#include <base/time.hpp>
#include <delivery/redis/superseded.hpp>
#include <wire/topics.hpp>

#include <gtest/gtest.h>
#include <support/raw_records.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>

namespace semel::delivery::testing {
namespace {

TEST(Engine, SettlesEveryKindOfAnswerByItsEvent) {
    stage on;
    // A few at a time: twenty failures in a row are a gateway that fails, and this would test the breaker's pauses.
    for (int round = 0; round < 5; ++round) {
        for (const auto* behaviour : {"slow", "late", "lost", "perm", "temp", "throttle", "parts", "foreign"}) {
            on.dispatch("ok", 50);
            on.dispatch(behaviour, 4);
        }
    }
    on.start();
    const auto missing = [&] {
        std::map<std::string, int> of; // by behaviour
        for (const auto& [notification, s] : on.stories()) {
            const auto& b = on.behaviours().at(notification);
            if (!s.told() || ((b == "late" || b == "temp" || b == "throttle") && s.accepted == 0)) {
                ++of[b];
            }
        }
        return of;
    };
    try {
        wait_until([&] { return missing().empty(); }, "every answer");
    } catch (const std::runtime_error&) {
        FAIL() << "not answered, by behaviour: " << ::testing::PrintToString(missing());
    }
    for (const auto& [notification, s] : on.stories()) {
        const auto& b = on.behaviours().at(notification);
        SCOPED_TRACE(b);
        EXPECT_EQ(s.accepted, b == "lost" || b == "perm" ? 0 : 1);
        EXPECT_EQ(s.failed, b == "perm" ? 1 : 0);
        EXPECT_EQ(s.deferred, b == "temp" || b == "throttle" ? 1 : 0);
        EXPECT_EQ(s.awaiting, b == "late" ? 1 : 0) << "unanswered after three seconds, answered after five";
        EXPECT_EQ(s.in_doubt, b == "lost" ? 1 : 0);
        for (const auto& e : s.events) {
            EXPECT_EQ(e.attempt(), e.kind() == v1::EVENT_ACCEPTED && (b == "temp" || b == "throttle") ? 2U : 1U);
            EXPECT_EQ(e.gateway(), "gateway-a");
            if (e.kind() == v1::EVENT_ACCEPTED) {
                // "foreign" answers with bytes that are not UTF-8: unescaped, no event of its batch could be read.
                EXPECT_EQ(e.gateway_message_id(), b == "foreign" ? "id%ff%01" : notification.substr(0, 12));
                EXPECT_EQ(e.content_sha256().size(), 32U);
            }
            if (e.kind() == v1::EVENT_FAILED) {
                EXPECT_EQ(e.code(), "0x0000000b");
            }
            if (e.kind() == v1::EVENT_IN_DOUBT || e.kind() == v1::EVENT_AWAITING) {
                v1::Dispatch again;
                EXPECT_TRUE(again.ParseFromString(e.dispatch()) && again.attempt() == 1) << "what a resend needs";
            }
        }
    }
    on.expect_the_truth();
    on.signal("a", SIGTERM);
    const auto status = on.end_of("a");
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(on.reserved(), 0U) << "a clean end leaves nothing behind";
}

TEST(Engine, ARecordThatIsNoneGoesToDeadLetterAndBlocksNothing) {
    stage on;
    on.dispatch("ok", 10);
    on.write(0, "\xff\xff");
    on.dispatch("ok", 10);
    on.start();
    on.expect_the_truth();
    wait_until([&] { return on.records(std::string{wire::dead_letter}).size() == 1; }, "the dead letter");
    EXPECT_EQ(on.records(std::string{wire::dead_letter}).front().value(), "\xff\xff");
}

// Its committed offsets go past them: what lies behind an offset is what plan paces itself by.
TEST(Engine, WhatIsNotGenuineIsPassedByAndIsNoBacklog) {
    stage on;
    on.start();
    on.dispatch("ok", 10);
    on.expect_the_truth();
    const auto topic = on.prefix() + wire::dispatch(base::channel::sms);
    for (std::int32_t p = 0; p < stage::partitions; ++p) {
        support::write_raw(on.bootstrap(), {topic, p}, "junk", std::string(20, '\x9c'), {}, 3'000);
    }
    wait_until([&] { return on.no_backlog(); }, "the offsets of what was refused");
    on.dispatch("ok", 10);
    on.expect_the_truth();
}

// What a plan that was killed had under way lies behind the last record for ever: counted as waiting, a few thousand of
// it stopped release for good.
TEST(Engine, WhatWasRolledBackIsPassedByAndIsNoBacklog) {
    stage on;
    on.start();
    on.dispatch("ok", 10);
    on.expect_the_truth();
    on.roll_back(3'000);
    wait_until([&] { return on.no_backlog(); }, "the offsets of what was rolled back");
    on.dispatch("ok", 10);
    on.expect_the_truth();
}

TEST(Engine, ACampaignThatIsCancelledFailsWhatIsNotSentAndOneThatIsLateExpires) {
    stage on;
    on.set(v1::CAMPAIGN_CANCELLED);
    on.dispatch("ok", 3'000);
    on.dispatch("ok", 5, [](v1::Dispatch& d) { d.set_test(true); });
    on.start();
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 0U) << "not even a test is sent";
    on.set(v1::CAMPAIGN_RUNNING);
    on.dispatch("ok", 50, [](v1::Dispatch& d) { d.set_give_up_us(base::to_us(base::now() - 1h)); });
    on.expect_the_truth();
    std::map<std::string, int> codes;
    for (const auto& [notification, s] : on.stories()) {
        for (const auto& e : s.events) {
            ++codes[e.code()];
        }
    }
    EXPECT_EQ(codes["semel:cancelled"], 3'005);
    EXPECT_EQ(codes["semel:expired"], 50);
    EXPECT_EQ(on.acceptances(), 0U);
}

TEST(Engine, ATestOfAPausedCampaignIsSent) {
    stage on;
    on.set(v1::CAMPAIGN_PAUSED);
    on.dispatch("ok", 5, [](v1::Dispatch& d) { d.set_test(true); });
    on.start();
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 5U);
}

TEST(Engine, APausedCampaignIsParkedOnceAndGoesOnAtOnce) {
    stage on;
    const auto parked = [&] { return on.records(wire::parked(base::channel::sms)).size(); };
    on.set(v1::CAMPAIGN_PAUSED);
    on.dispatch("ok", 200);
    on.start();
    wait_until([&] { return parked() == 200; }, "200 parked records");
    // Longer than a round of the shortest retry tier; another message shows that the engine goes on meanwhile.
    const auto later = std::chrono::steady_clock::now() + 12s;
    wait_until([&] { return std::chrono::steady_clock::now() >= later; }, "a tier's time");
    EXPECT_EQ(parked(), 200U) << "what lies there is not written again";
    EXPECT_EQ(on.records(wire::retry(base::channel::sms, 0)).size(), 0U);
    EXPECT_EQ(on.reserved(), 0U) << "nor reserved";
    EXPECT_EQ(on.acceptances(), 0U);
    EXPECT_EQ(on.told(), 0U) << "waiting is not an outcome";
    const auto resumed = std::chrono::steady_clock::now();
    on.set(v1::CAMPAIGN_RUNNING);
    wait_until([&] { return on.acceptances() == 200; }, "everybody to be told");
    EXPECT_LT(std::chrono::steady_clock::now() - resumed, 5s * support::slowness);
    on.expect_the_truth();
}

// A gateway of some 500 a second and seconds of work reserved or waiting: what counts is the last message that the
// gateway accepted.
TEST(Engine, APauseTakesHoldWithinASecond) {
    stage on;
    on.gateways = "gateway-a:16:500:2:0";
    on.dispatch("ok", 6'000);
    on.start();
    wait_until([&] { return on.acceptances() >= 500; }, "the campaign to be under way");
    on.set(v1::CAMPAIGN_PAUSED);
    const auto paused = std::chrono::steady_clock::now();
    const auto parked = [&] { return on.records(wire::parked(base::channel::sms)).size(); };
    wait_until([&] { return on.acceptances() + parked() == 6'000; }, "all that was not sent to be parked");
    std::chrono::steady_clock::time_point last;
    for (const auto& [notification, copies] : on.accepted()) {
        for (const auto& copy : copies) {
            last = std::max(last, std::chrono::steady_clock::time_point{std::chrono::microseconds{copy.at_us}});
        }
    }
    EXPECT_LT(last - paused, 1s * support::slowness);
    EXPECT_LT(on.acceptances(), 6'000U) << "the campaign was over before the pause";
    on.set(v1::CAMPAIGN_RUNNING);
    on.expect_the_truth();
}

TEST(Engine, WhatIsParkedExpiresAndIsCancelledAllTheSame) {
    stage on;
    on.set(v1::CAMPAIGN_PAUSED);
    on.dispatch("ok", 50);
    on.dispatch("ok", 20, [](v1::Dispatch& d) { d.set_give_up_us(base::to_us(base::now() + 6s)); });
    on.start();
    const auto failed_as = [&](const std::string& code) {
        std::size_t n = 0;
        for (const auto& [notification, s] : on.stories()) {
            n += static_cast<std::size_t>(std::ranges::count(s.events, code, &v1::Event::code));
        }
        return n;
    };
    wait_until([&] { return failed_as("semel:expired") == 20; }, "those behind the others to expire while paused");
    EXPECT_LE(on.records(wire::parked(base::channel::sms)).size(), 70U + 50U + 50U)
        << "each once more for each such change";
    on.set(v1::CAMPAIGN_CANCELLED);
    on.expect_the_truth();
    EXPECT_EQ(failed_as("semel:cancelled"), 50U);
    EXPECT_EQ(on.acceptances(), 0U);
}

TEST(Engine, TrafficLeavesAFailingGatewayAndWhatIsPinnedStays) {
    stage on;
    on.gateways = "gateway-a:16:0:2:1,gateway-b:16:0:2:0";
    on.dispatch("ok", 2'000);
    // In doubt at a gateway that is gone: it waits, and nobody else gets it.
    on.dispatch("ok", 3, [](v1::Dispatch& d) { d.set_pinned_gateway("gateway-z"); });
    on.dispatch("ok", 3, [](v1::Dispatch& d) { d.set_pinned_gateway("gateway-b"); });
    on.start();
    wait_until([&] { return on.acceptances() >= 2'000; }, "nearly all to be accepted");
    std::size_t deferred = 0;
    for (const auto& [notification, s] : on.stories()) {
        deferred += s.deferred;
    }
    EXPECT_LT(deferred, 300U) << "the breaker opened";
    for (const auto& [notification, times] : on.accepted()) {
        EXPECT_EQ(times.size(), 1U);
        EXPECT_EQ(times.front().gateway, "gateway-b");
    }
    wait_until([&] { return on.records(wire::retry(base::channel::sms, 2)).size() == 3; }, "the pinned ones to wait");
}

// As FCM beside APNs: the shortest retry tier counts against what plan releases for the channel.
TEST(Engine, WhatWaitsForAGatewayThatFailsForLongLeavesTheShortestTier) {
    stage on;
    on.gateways = "gateway-a:16:0:2:1:iphone,gateway-b:16:0:2:0:android";
    on.dispatch("iphone", 200);
    on.dispatch("android", 200);
    on.start();
    wait_until([&] { return on.acceptances() == 200; }, "those of the gateway that works");
    wait_until([&] { return on.records(wire::retry(base::channel::sms, 1)).size() >= 150; }, "the others to stay away");
    for (const auto& r : on.records(wire::retry(base::channel::sms, 1))) {
        v1::Dispatch d;
        ASSERT_TRUE(d.ParseFromString(std::string{r.value()}));
        EXPECT_EQ(on.behaviours().at(base::to_hex(*base::from_bytes<base::notification_id>(d.notification()))),
                  "iphone");
    }
}

TEST(Engine, AResendIsNotSentOnceItIsNeedless) {
    stage on;
    std::vector<base::notification_id> needless;
    const auto again = [](v1::Dispatch& d) {
        d.set_attempt(2);
        d.set_resend(true);
    };
    on.dispatch("ok", 20, [&](v1::Dispatch& d) {
        again(d);
        needless.push_back(*base::from_bytes<base::notification_id>(d.notification()));
    });
    on.dispatch("ok", 20, again);
    on.dispatch("perm", 5, again);
    on.dispatch("perm", 5);
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        redis::client client{ex, {.port = on.redis.port()}};
        co_await client.connected();
        EXPECT_TRUE(co_await mark_superseded(client, on.prefix(), needless));
    });
    on.start();
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 20U);
    const auto stories = on.stories();
    for (const auto& id : needless) {
        const auto& s = stories.at(base::to_hex(id));
        ASSERT_EQ(s.failed, 1);
        EXPECT_EQ(s.events.front().code(), "semel:superseded");
        EXPECT_EQ(s.events.front().gateway(), "") << "no gateway refused it";
    }
    for (const auto& [notification, s] : stories) {
        for (const auto& e : s.events) {
            EXPECT_EQ(e.resend(), e.attempt() == 2) << "what becomes of a resend says nothing about the copy before";
        }
    }
}

TEST(Engine, AConfigurationErrorStopsTheLaneAndFailsNobody) {
    stage on;
    on.gateways = "gateway-a:4:0:2:0";
    on.dispatch("stop", 4);
    on.start();
    wait_until([&] { return on.records(wire::retry(base::channel::sms, 1)).size() >= 1; }, "a deferral");
    int refused = 0;
    for (const auto& [notification, s] : on.stories()) {
        EXPECT_EQ(s.failed + s.in_doubt + s.accepted, 0);
        refused += s.deferred;
    }
    EXPECT_GE(refused, 1) << "the next attempt's number needs an event that explains it";
}

TEST(Engine, OnePoisonedRecipientAmongManyHoldsNobodyAndFailsWithItsOwnCode) {
    stage on;
    on.dispatch("poison", 3);
    on.dispatch("ok", 300);
    const auto began = std::chrono::steady_clock::now();
    on.start();
    wait_until([&] { return on.acceptances() == 300; }, "everybody else");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s * support::slowness) << "no lane stood still";
    on.expect_the_truth();
    for (const auto& [notification, s] : on.stories()) {
        if (on.behaviours().at(notification) == "poison") {
            EXPECT_EQ(s.failed, 1);
            EXPECT_EQ(s.deferred, 1) << "refused twice, and others were accepted in between";
            EXPECT_EQ(s.events.back().code(), "0x00000401");
        }
    }
}

TEST(Engine, AGatewayThatRefusesEverybodyAlikeIsStoppedAndFailsNobody) {
    stage on;
    on.gateways = "gateway-a:4:0:2:0";
    const auto poisoned = on.log_file() + ".poisoned";
    std::ofstream{poisoned} << "all";
    on.dispatch("ok", 400);
    on.start();
    wait_until([&] { return !on.records(wire::retry(base::channel::sms, 0)).empty(); }, "the first to wait");
    // While it lasts, one message tries at a time: of 400, few are refused. Then it is mended.
    wait_until([&] { return on.records(wire::retry(base::channel::sms, 0)).size() >= 8; }, "the lane to try again");
    const auto refused = on.records(wire::retry(base::channel::sms, 0)).size();
    EXPECT_LT(refused, 60U) << "the lane stopped";
    EXPECT_EQ(std::remove(poisoned.c_str()), 0);
    on.expect_the_truth(120s * support::slowness);
    EXPECT_EQ(on.acceptances(), 400U) << "nobody fails for our configuration";
}

} // namespace
} // namespace semel::delivery::testing
