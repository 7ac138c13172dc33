// Whole towns, seed by seed. A seed that fails is printed; SEMEL_SEED=N plays it again, exactly. SEMEL_SEEDS=N plays so
// many.

#include "town.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace semel::simulation {
namespace {

std::uint64_t number_in(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return text == nullptr ? otherwise : std::stoull(text);
}

void expect_well(const ending& e, std::uint64_t seed) {
    for (const auto& b : e.breaches) {
        ADD_FAILURE() << "SEMEL_SEED=" << seed << ": " << b;
    }
}

story quiet(std::uint64_t seed) {
    story s;
    s.seed = seed;
    s.trouble = 10s;
    s.events_of_a_life = 0;
    s.sleepers = false;
    s.forgetful = false;
    s.kafka = {};
    s.redis = {};
    s.gateways = {.refuses_for_now = 0, .refuses_for_good = 0, .never_answers = 0, .late = 0, .slow = 0};
    return s;
}

TEST(Simulation, AQuietTownIsToldOnceAndNothingIsInDoubt) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        auto s = quiet(seed);
        const auto people = s.people;
        const auto e = town{std::move(s)}.play();
        expect_well(e, seed);
        EXPECT_EQ(e.accepted, people);
        EXPECT_EQ(e.in_doubt + e.awaiting + e.failed, 0U);
    }
}

TEST(Simulation, IsAFunctionOfItsSeed) {
    story s;
    s.seed = 7;
    const auto first = town{s}.play();
    const auto again = town{s}.play();
    EXPECT_EQ(first.fingerprint, again.fingerprint);
    s.seed = 8;
    EXPECT_NE(town{s}.play().fingerprint, first.fingerprint);
}

TEST(Simulation, WhateverBreaksNobodyIsToldTwiceAndNobodyIsLost) {
    const auto only = number_in("SEMEL_SEED", 0);
    const auto first = only != 0 ? only : 1;
    const auto last = only != 0 ? only : number_in("SEMEL_SEEDS", 60);
    std::size_t deaths = 0;
    std::size_t doubts = 0;
    for (auto seed = first; seed <= last; ++seed) {
        story s;
        s.seed = seed;
        const auto e = town{std::move(s)}.play();
        expect_well(e, seed);
        deaths += e.deaths;
        doubts += e.in_doubt;
        if (HasFailure()) {
            break;
        }
    }
    EXPECT_GT(deaths, 0U) << "nothing happened";
    RecordProperty("deaths", static_cast<int>(deaths));
    RecordProperty("doubts", static_cast<int>(doubts));
}

} // namespace
} // namespace semel::simulation
