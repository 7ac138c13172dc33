// Redis is ended in order and comes back whole: the note of it vouches for the claims, once and for nothing written
// after it (docs/decisions/0012).

#include "stage.hpp"

#include <redis/closing.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace semel::delivery::testing {
namespace {

constexpr std::size_t window = 32;

/// As `semel down` does before it stops Redis; the file has the note as its last word.
void note_the_end(const stage& on) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        redis::client_options to;
        to.port = on.redis.port();
        redis::client client{ex, to};
        co_await client.connected();
        must(co_await redis::close_in_order(client));
    });
    on.redis.tell("SAVE");
}

/// What the file has: all of the last SAVE, nothing since.
void restart_redis(stage& on) {
    on.redis.kill();
    on.redis.start();
}

std::size_t told_as(const stage& on, const std::string& code) {
    std::size_t n = 0;
    for (const auto& [notification, s] : on.stories()) {
        n += static_cast<std::size_t>(std::ranges::count(s.events, code, &v1::Event::code));
    }
    return n;
}

std::size_t unanswered(const stage& on) {
    const auto accepted = on.accepted();
    return static_cast<std::size_t>(
        std::ranges::count_if(accepted, [&](const auto& a) { return on.behaviours().at(a.first) == "late"; }));
}

/// More messages, in the middle of which the gateway stops answering for a while: its window is full, and what is
/// reserved behind it is not claimed. However fast the engine is, it cannot be done with its reservation.
void get_stuck(stage& on) {
    const auto before = unanswered(on);
    on.dispatch("ok", 300);
    on.dispatch("late", window + 8);
    on.dispatch("ok", 300);
    wait_until([&] { return unanswered(on) >= before + window; }, "a full window");
    wait_until([&] { return on.reserved() > window; }, "a reservation");
}

/// An engine in the middle of its work.
void set_out(stage& on) {
    on.gateways = "gateway-a:32:0:3:0";
    on.start();
    get_stuck(on);
}

/// How many are in doubt because their claims were not believed, when all is told.
std::size_t claims_lost_in_the_end(stage& on) {
    on.start();
    on.expect_the_truth();
    return told_as(on, "semel:claims-lost");
}

TEST(OrderlyRestart, TheClaimsOfAKilledEngineAreBelieved) {
    stage on;
    set_out(on);
    on.kill("a");
    note_the_end(on);
    restart_redis(on);
    EXPECT_EQ(claims_lost_in_the_end(on), 0U);
    EXPECT_LE(on.in_doubt(), window) << "only what was out";
}

TEST(OrderlyRestart, AlsoWhenNobodyTookOverBetweenTwoOfThem) {
    stage on;
    set_out(on);
    on.kill("a");
    for (int times = 0; times < 3; ++times) {
        note_the_end(on);
        restart_redis(on);
    }
    EXPECT_EQ(claims_lost_in_the_end(on), 0U);
}

// The file of the orderly end is put back later: it holds the note again, and not the claims made since.
TEST(OrderlyRestart, ANoteVouchesOnce) {
    stage on;
    set_out(on);
    on.kill("a");
    note_the_end(on);
    restart_redis(on);
    on.start();
    get_stuck(on);
    on.kill("a");
    restart_redis(on);
    EXPECT_GT(claims_lost_in_the_end(on), 0U);
}

// The note is written and Redis goes on: whoever lives must not claim under what the note vouches for.
TEST(OrderlyRestart, ANoteDoesNotVouchForAServerThatWentOn) {
    stage on;
    set_out(on);
    note_the_end(on);
    get_stuck(on);
    on.kill("a");
    restart_redis(on);
    EXPECT_GT(claims_lost_in_the_end(on), 0U);
}

// Without the note it is as ever: a file that looks whole may be an old one.
TEST(OrderlyRestart, ARestartWithoutTheNoteBelievesNothing) {
    stage on;
    set_out(on);
    on.kill("a");
    on.redis.tell("SAVE");
    restart_redis(on);
    EXPECT_GT(claims_lost_in_the_end(on), 0U);
}

} // namespace
} // namespace semel::delivery::testing
