// What the pace comes to against gateways that refuse as too fast, in simulated time, for what each protocol does with
// a refusal.

#include "limited_gateway.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace semel::delivery::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The windows of semel.yaml's defaults and of `semel up --sim`.
constexpr protocol smtp{.name = "smtp", .window = 64, .dialogue = 3, .back_after = 3};
constexpr protocol few{.name = "smtp16", .window = 16, .dialogue = 3, .back_after = 3};
constexpr protocol http{.name = "push", .window = 200};
constexpr protocol smpp{.name = "smpp", .window = 64, .parts = 4, .pause = 100ms};
// One process does some 4,000 messages a second on the reference machine; here more, so that the largest limit is one.
constexpr double able = 6'000;
constexpr std::array protocols{smtp, few, http, smpp};
constexpr std::array round_trips{1ms, 30ms, 300ms};

std::string named(const scene& s) {
    constexpr const char* countings[] = {"Bucket", "Shallow", "BySecond", "AnySecond"};
    return std::string{s.speaks.name} + std::to_string(std::chrono::duration_cast<milliseconds>(s.round_trip).count()) +
           "ms" + std::to_string(static_cast<int>(s.allows)) + countings[static_cast<int>(s.counts)];
}

/// Submissions a second that go out where nobody refuses any.
double undisturbed(scene s) {
    s.allows = 0;
    s.by_chance = 0;
    simulation free{s};
    free.run(10s);
    return free.between(5s, 10s).accepted / 5;
}

/// The least of what is allowed that came in any five seconds between.
double least_kept(const simulation& s, double allows, seconds from, seconds to) {
    double least = 1e9;
    for (auto at = from; at + 5s <= to; ++at) {
        least = std::min(least, s.between(at, at + 5s).accepted / 5 / allows);
    }
    return least;
}

/// Every rate that could be met at all, in every way of counting.
std::vector<scene> limited(const protocol& speaks, base::duration round_trip) {
    std::vector<scene> all;
    const double most = undisturbed({.speaks = speaks, .round_trip = round_trip, .able = able});
    for (const double messages : {20., 60., 200., 1'000., 3'000., 5'000.}) {
        const double allows = messages * speaks.parts;
        for (const auto counts : {counting::bucket, counting::shallow, counting::second, counting::any}) {
            if (allows < 0.9 * most) {
                all.push_back(
                    {.speaks = speaks, .round_trip = round_trip, .able = able, .allows = allows, .counts = counts});
            }
        }
    }
    return all;
}

class Throttled : public ::testing::TestWithParam<std::tuple<protocol, milliseconds>> {};

TEST_P(Throttled, SettlesWithinTenSecondsAtWhatAnyGatewayAllows) {
    const auto [speaks, round_trip] = GetParam();
    for (const auto& s : limited(speaks, round_trip)) {
        SCOPED_TRACE(named(s));
        simulation sim{s};
        const auto end = s.allows > 500 * s.speaks.parts ? 40s : 120s; // fewer messages tell less
        sim.run(end);
        EXPECT_GE(least_kept(sim, s.allows, 10s, end), 0.9);
        EXPECT_LT(sim.between(10s, end).share(), 0.02);
        EXPECT_LT(sim.between(0s, 10s).refused, 5 * s.allows) << "the search: under 2 % of what five minutes take";
    }
}

INSTANTIATE_TEST_SUITE_P(Throttling, Throttled,
                         ::testing::Combine(::testing::ValuesIn(protocols), ::testing::ValuesIn(round_trips)),
                         [](const auto& i) {
                             return std::string{std::get<0>(i.param).name} +
                                    std::to_string(std::get<1>(i.param).count()) + "ms";
                         });

/// A dispatcher waits for the log now and then. Time in which it had nothing to send says nothing of the gateway.
TEST(Throttling, SettlesAsWellWhenTheWorkComesWithGaps) {
    for (const auto& speaks : {smtp, http, smpp}) {
        for (const auto counts : {counting::bucket, counting::second, counting::any}) {
            for (auto first = 200ms; first <= 3'000ms; first += 200ms) {
                for (const auto gap : {400ms, 1'200ms, 4'000ms}) {
                    scene s{.speaks = speaks, .able = able, .allows = 1'000. * speaks.parts, .counts = counts};
                    SCOPED_TRACE(named(s) + " nothing for " + std::to_string(gap.count()) + " ms after " +
                                 std::to_string(first.count()));
                    simulation sim{s};
                    sim.run(first);
                    sim.idle(gap);
                    sim.run(25s);
                    EXPECT_GE(least_kept(sim, s.allows, 15s, 25s), 0.9);
                    EXPECT_LT(sim.between(15s, 25s).share(), 0.02);
                }
            }
        }
    }
}

TEST(Throttling, RefusalsOfStragglersCostTheNextCampaignNoPace) {
    for (const auto& speaks : protocols) {
        scene s{.speaks = speaks, .able = able, .by_chance = 0.01};
        simulation without{s};
        without.run(15s);
        const double usual = without.between(5s, 15s).accepted / 10;
        for (s.seed = 1; s.seed <= 20; ++s.seed) {
            SCOPED_TRACE(named(s) + " seed " + std::to_string(s.seed));
            simulation sim{s};
            sim.run(5s);
            sim.idle(3s);
            for (int straggler = 0; straggler < 8; ++straggler) { // what was refused comes again, a few at a time
                sim.refuse(straggler % 4 == 0 ? 1 : 0);
                sim.run(1ms);
                sim.idle(3s);
            }
            sim.refuse(0.01);
            sim.run(10s);
            EXPECT_GE(sim.between(32s, 42s).accepted / 10, 0.9 * usual);
        }
    }
}

TEST(Throttling, OneRefusalInAHundredCostsNoPace) {
    for (const auto& speaks : protocols) {
        for (const auto round_trip : round_trips) {
            scene s{.speaks = speaks, .round_trip = round_trip, .able = able};
            const double usual = undisturbed(s);
            s.by_chance = 0.01;
            for (s.seed = 1; s.seed <= 5; ++s.seed) {
                SCOPED_TRACE(named(s) + " seed " + std::to_string(s.seed));
                simulation sim{s};
                sim.run(30s);
                EXPECT_GE(sim.between(0s, 30s).accepted / 30, 0.8 * usual);
                if (usual > 500) { // of a few messages a second, chance may refuse many
                    EXPECT_FALSE(sim.pace().limit());
                }
            }
        }
    }
}

TEST(Throttling, FindsTheNewPaceWhenTheGatewayAllowsTwiceAsMuchOrHalf) {
    for (const auto& speaks : {smtp, http, smpp}) {
        for (const double allows : {50., 400.}) {
            scene s{.speaks = speaks, .allows = allows};
            SCOPED_TRACE(named(s));
            simulation sim{s};
            sim.run(60s);
            sim.allow(2 * allows);
            sim.run(60s);
            EXPECT_GE(least_kept(sim, 2 * allows, 90s, 120s), 0.9) << "thirty seconds after it was lifted";
            sim.allow(allows);
            sim.run(60s);
            EXPECT_GE(least_kept(sim, allows, 130s, 180s), 0.9);
            EXPECT_LT(sim.between(130s, 180s).share(), 0.02);
        }
    }
}

TEST(Throttling, NeverStandsStillAndComesBackOnceNothingIsRefused) {
    for (const auto& speaks : protocols) {
        SCOPED_TRACE(speaks.name);
        scene s{.speaks = speaks, .by_chance = 1};
        simulation sim{s};
        sim.run(60s);
        EXPECT_GE(sim.between(50s, 60s).refused, 5) << "somebody has to ask whether it is over";
        EXPECT_LE(sim.between(50s, 60s).refused, 20 * speaks.parts);
        sim.refuse(0);
        sim.run(60s);
        EXPECT_GE(sim.between(100s, 120s).accepted / 20, 0.8 * undisturbed(s));
    }
}

TEST(Throttling, TwoProcessesShareWhatTheGatewayAllows) {
    for (const auto& speaks : {smtp, http, smpp}) {
        for (const double allows : {100., 1'000.}) {
            scene s{.speaks = speaks, .processes = 2, .allows = allows};
            SCOPED_TRACE(named(s));
            simulation sim{s};
            sim.run(120s);
            EXPECT_GE(least_kept(sim, allows, 10s, 120s), 0.9);
            EXPECT_LT(sim.between(10s, 120s).share(), 0.02);
            // Of a few messages a second, whose are refused is chance, and the slower process may stay so.
            const double least = allows < 500 ? 1 : 0.1 * allows;
            EXPECT_GE(*sim.pace(0).limit() * speaks.parts, least) << "neither is starved";
            EXPECT_GE(*sim.pace(1).limit() * speaks.parts, least);
        }
    }
}

} // namespace
} // namespace semel::delivery::testing
