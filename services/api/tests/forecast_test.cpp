#include <api/core/forecast.hpp>
#include <gtest/gtest.h>

#include <array>

namespace semel::api {
namespace {

using namespace std::chrono_literals;

const base::timestamp now{std::chrono::hours{500'000}};

TEST(Forecast, IsThatOfTheSlowestChannel) {
    const std::array channels{channel_pace{.planned = 1000, .outstanding = 100, .per_second = 10},
                              channel_pace{.planned = 1000, .outstanding = 300, .per_second = 10},
                              channel_pace{.planned = 1000, .outstanding = 0, .per_second = 0}};
    EXPECT_EQ(forecast(channels, {.released = 1000}, now), now + 31s);
}

TEST(Forecast, CountsTheRowsThatAreNotReleasedYet) {
    const std::array channels{channel_pace{.planned = 2000, .outstanding = 100, .per_second = 10}};
    // 9,000 rows with two messages each, as the 1,000 before them.
    EXPECT_EQ(forecast(channels, {.released = 1000, .waiting = 9000}, now), now + 1811s);
}

TEST(Forecast, SaysNothingOfWhatStandsStillOrHasNotBegun) {
    const std::array standing{channel_pace{.planned = 1000, .outstanding = 1, .per_second = 0}};
    EXPECT_EQ(forecast(standing, {.released = 1000}, now), std::nullopt);
    EXPECT_EQ(forecast({}, {.waiting = 1000}, now), std::nullopt);
    const std::array done{channel_pace{.planned = 1000, .outstanding = 0, .per_second = 5}};
    EXPECT_EQ(forecast(done, {.released = 1000}, now), std::nullopt);
}

TEST(Forecast, OfWhatIsLateItSaysTheRateThatWouldDo) {
    using base::channel;
    const std::array channels{
        channel_pace{.channel = channel::email, .planned = 1000, .outstanding = 100, .per_second = 10},
        channel_pace{.channel = channel::push, .planned = 1000, .outstanding = 400, .per_second = 10},
        channel_pace{.channel = channel::sms, .planned = 100, .outstanding = 90, .per_second = 0.5}};
    const auto late = late_channels(channels, {.released = 1000}, now, now + 30s);
    ASSERT_EQ(late.size(), 2U);
    EXPECT_EQ(late[0].channel, channel::sms) << "six times as fast, where push needs a third more";
    EXPECT_DOUBLE_EQ(late[0].needs, 3);
    EXPECT_EQ(in_words(late), "sms goes at 0.5/s and needs 3.0/s, push goes at 10/s and needs 14/s");
    EXPECT_TRUE(late_channels(channels, {.released = 1000}, now, now + 180s).empty());
    EXPECT_EQ(late_channels(channels, {.released = 1000, .waiting = 1000}, now, now + 120s).size(), 2U)
        << "rows that wait are messages, too";
    EXPECT_TRUE(late_channels(channels, {.released = 1000}, now, now).empty()) << "no rate would help";
    EXPECT_TRUE(late_channels(channels, {.waiting = 1000}, now, now + 30s).empty());
}

TEST(Forecast, GoesByTheRowsOfLaunchedWaves) {
    v1::Campaign c;
    for (const auto phase :
         {v1::WAVE_LAUNCHED, v1::WAVE_LAUNCHED, v1::WAVE_SEALED, v1::WAVE_DROPPED, v1::WAVE_IMPORTED}) {
        auto& wave = *c.add_waves();
        wave.set_number(static_cast<std::uint32_t>(c.waves_size()));
        wave.set_phase(phase);
        wave.set_rows(10);
        wave.set_rejected(2);
    }
    const std::array waves{wave_count{.wave = 1, .sealed = true, .released = 6, .doubles = 1}};
    const auto rows = count_released(c, waves);
    EXPECT_EQ(rows.released, 6);
    EXPECT_EQ(rows.waiting, 1 + 8) << "the ledger has heard of no row of the second";
    EXPECT_EQ(rows.held, 8) << "of the third: nobody will tell those of the fourth, and the last is not whole yet";
}

} // namespace
} // namespace semel::api
