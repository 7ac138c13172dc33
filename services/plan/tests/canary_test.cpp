// A few people first: against a real Kafka and a Redis of the test's own, with plan killed while the rest waits.

#include "stage.hpp"

#include <plan/core/canary.hpp>

namespace semel::plan::testing {
namespace {

v1::Campaign waves_of(std::initializer_list<std::uint64_t> rows, std::uint32_t canary) {
    v1::Campaign c;
    c.mutable_canary()->set_rows(canary);
    for (const auto n : rows) {
        auto& wave = *c.add_waves();
        wave.set_number(static_cast<std::uint32_t>(c.waves_size()));
        wave.set_phase(v1::WAVE_LAUNCHED);
        wave.set_rows(n);
    }
    return c;
}

TEST(CanaryMark, IsARowOfTheFirstWave) {
    const auto c = waves_of({5'000, 300}, 1'000);
    EXPECT_EQ(last_row_of_canary(c, c.waves(0)), 1'000U);
    EXPECT_EQ(last_row_of_canary(c, c.waves(1)), 0U) << "nobody of the second";
}

TEST(CanaryMark, ReachesIntoTheNextWaveWhereTheFirstIsSmaller) {
    const auto c = waves_of({300, 5'000, 10}, 1'000);
    EXPECT_EQ(last_row_of_canary(c, c.waves(0)), 1'000U) << "all of it";
    EXPECT_EQ(last_row_of_canary(c, c.waves(1)), 700U);
    EXPECT_EQ(last_row_of_canary(c, c.waves(2)), 0U);
}

TEST(CanaryMark, CountsLaunchedWavesAlone) {
    auto c = waves_of({300, 5'000}, 1'000);
    c.mutable_waves(0)->set_phase(v1::WAVE_DROPPED);
    EXPECT_EQ(last_row_of_canary(c, c.waves(1)), 1'000U);
}

TEST(CanaryMark, IsGoneWithAnOperatorsWord) {
    auto c = waves_of({5'000}, 1'000);
    c.mutable_canary()->set_released(true);
    EXPECT_FALSE(last_row_of_canary(c, c.waves(0)));
    EXPECT_FALSE(last_row_of_canary(waves_of({5'000}, 0), c.waves(0))) << "there is none";
}

constexpr std::uint64_t few_rows = 300;
constexpr std::uint32_t first_rows = 100;
// Chunks of the stage have 40 rows, and intake has not cut one for this canary: it is released whole.
constexpr std::size_t released_rows = 120;

/// While another campaign, launched later, is released to its end: so it had its turns, and took none.
void expect_it_stands(const stage& s, stage& guest) {
    guest.launch();
    guest.expect_the_truth();
    EXPECT_EQ(s.rows_told(), released_rows);
    for (const auto& e : s.events()) {
        if (e.kind() == v1::EVENT_RECIPIENT || e.kind() == v1::EVENT_RECIPIENT_REPEATED) {
            EXPECT_EQ(e.wave(), 1U);
            EXPECT_LE(e.row(), released_rows);
        }
    }
}

TEST(Canary, StandsAtItsMarkWhateverDiesAndGoesOnWhenItIsReleased) {
    stage s{an_audience(few_rows, 41)};
    stage first{an_audience(20, 42), 0, 40, &s};
    stage second{an_audience(20, 43), 0, 40, &s};
    s.set_canary(first_rows);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() >= released_rows; }, "the canary");
    expect_it_stands(s, first);
    s.kill();
    s.start();
    s.start("plan-2");
    s.redis.tell("FLUSHALL");
    expect_it_stands(s, second);
    s.release_the_rest();
    s.expect_the_truth();
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "every wave to its end");
    s.kill();
    s.kill("plan-2");
}

TEST(Canary, KilledWhileItGoesOutItPassesNoMark) {
    stage s{an_audience(few_rows, 44)};
    stage guest{an_audience(20, 45), 0, 40, &s};
    s.set_canary(first_rows);
    s.start();
    s.launch(slow);
    stage::wait_until([&] { return s.rows_told() > 0; }, "the first of the canary");
    s.kill();
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() >= released_rows; }, "the canary");
    expect_it_stands(s, guest);
    s.release_the_rest();
    s.expect_the_truth();
    s.kill();
}

TEST(Canary, WhenItIsCancelledTheRestIsAccountedFor) {
    stage s{an_audience(few_rows, 46)};
    const auto expected = truth(s.campaign(), s.rows());
    s.set_canary(first_rows);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() >= released_rows; }, "the canary");
    const auto sent = s.released().size();
    s.set(v1::CAMPAIGN_CANCELLED);
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "every row to be accounted for");
    std::set<std::string> failed;
    for (const auto& e : s.events()) {
        if (e.kind() == v1::EVENT_FAILED) {
            EXPECT_EQ(e.code(), "semel:cancelled");
            EXPECT_TRUE(failed.insert(e.notification()).second);
        }
    }
    EXPECT_EQ(s.released().size(), sent);
    EXPECT_EQ(sent + failed.size(), expected.size());
    EXPECT_EQ(s.rows_told(), s.rows().size());
}

} // namespace
} // namespace semel::plan::testing
