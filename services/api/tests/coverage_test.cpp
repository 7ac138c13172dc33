#include <api/core/coverage.hpp>
#include <gtest/gtest.h>

#include <array>

namespace semel::api {
namespace {

/// Two launched waves of 10 and 5 rows; of the first, 2 were refused at import.
v1::Campaign running() {
    v1::Campaign c;
    c.set_phase(v1::CAMPAIGN_RUNNING);
    for (const auto& [rows, rejected] : {std::pair{10, 2}, std::pair{5, 0}}) {
        auto& wave = *c.add_waves();
        wave.set_number(static_cast<std::uint32_t>(c.waves_size()));
        wave.set_phase(v1::WAVE_LAUNCHED);
        wave.set_rows(static_cast<std::uint64_t>(rows));
        wave.set_rejected(static_cast<std::uint64_t>(rejected));
    }
    return c;
}

TEST(Coverage, IsTheLedgersOnceItKnowsEverySeal) {
    const coverage counted{.reached = 6, .outstanding = 7, .rejected = 2};
    const std::array waves{wave_count{.wave = 1, .sealed = true, .released = 6}, wave_count{.wave = 2, .sealed = true}};
    EXPECT_EQ(completed(running(), counted, waves), counted);
}

TEST(Coverage, HasTheRowsOfAWaveWhoseSealTheLedgerHasNotHeardOf) {
    const coverage counted{.reached = 5, .repeated = 1};
    const std::array waves{wave_count{.wave = 1, .sealed = false, .released = 5, .doubles = 1}};
    const auto all = completed(running(), counted, waves);
    EXPECT_EQ(all.outstanding, 2 + 5);
    EXPECT_EQ(all.rejected, 2);
    EXPECT_EQ(all.rows(), 15) << "a row that repeats an id is a row, too";
    EXPECT_EQ(completed(running(), {}, {}).rows(), 15);
}

TEST(Coverage, LeavesOutAWaveThatIsNotSealed) {
    auto c = running();
    c.mutable_waves(1)->set_phase(v1::WAVE_IMPORTED);
    EXPECT_EQ(completed(c, {}, {}).rows(), 10);
}

TEST(Coverage, LeavesOutAWaveThatWasDropped) {
    auto c = running();
    c.mutable_waves(1)->set_phase(v1::WAVE_DROPPED);
    EXPECT_EQ(completed(c, {}, {}).rows(), 10);
    const std::array waves{wave_count{.wave = 1, .sealed = true, .released = 8}};
    EXPECT_TRUE(wholly_released(c, waves)) << "nobody waits for its rows";
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    EXPECT_EQ(completed(c, {}, {}).failed, 0) << "and it was not cancelled either";
}

TEST(Coverage, OfACancelledCampaignClosesWithWhatWasNeverLaunched) {
    auto c = running();
    c.set_phase(v1::CAMPAIGN_CANCELLED);
    c.mutable_waves(1)->set_phase(v1::WAVE_REGISTERED);
    const coverage counted{.reached = 3, .failed = 5, .outstanding = 5, .rejected = 2};
    const std::array waves{wave_count{.wave = 1, .sealed = true, .released = 8}, wave_count{.wave = 2, .sealed = true}};
    const auto all = completed(c, counted, waves);
    EXPECT_EQ(all.outstanding, 0);
    EXPECT_EQ(all.failed, 10);
    EXPECT_EQ(all.rows(), 15);
}

TEST(Coverage, CountsTheRowsWhoseOwnersTheLedgerDoesNotKnowYet) {
    const std::array waves{wave_count{.wave = 1, .sealed = true, .released = 5, .doubles = 1}};
    EXPECT_EQ(count_released(running(), waves).to_come(), 2 + 5);
    auto c = running();
    c.mutable_waves(1)->set_phase(v1::WAVE_IMPORTED);
    EXPECT_EQ(count_released(c, waves).to_come(), 2) << "a wave that is not sealed may still change";
    c.mutable_waves(0)->set_phase(v1::WAVE_DROPPED);
    EXPECT_EQ(count_released(c, waves).to_come(), 0);
}

TEST(Coverage, MeansNothingBeforeEveryRowIsInTheLedger) {
    const auto c = running();
    std::array waves{wave_count{.wave = 1, .sealed = true, .released = 7, .doubles = 1},
                     wave_count{.wave = 2, .sealed = false, .released = 5}};
    EXPECT_TRUE(wholly_released(c, waves)); // whether the seal was heard of does not matter
    waves[1].released = 4;
    EXPECT_FALSE(wholly_released(c, waves));
    EXPECT_FALSE(wholly_released(c, std::span{waves}.first(1)));
    EXPECT_FALSE(wholly_released(c, {}));
    auto more = c;
    more.mutable_waves(1)->set_phase(v1::WAVE_APPROVED);
    waves[1].released = 5;
    EXPECT_FALSE(wholly_released(more, waves));
}

} // namespace
} // namespace semel::api
