// Which settled records of dispatch.* Kafka must keep.

#include <delivery/service/forgetting.hpp>

#include <gtest/gtest.h>

namespace semel::delivery {
namespace {

using namespace std::chrono_literals;

TEST(Forgetting, WhatWasDispatchedStaysUntilItsCampaignIsOver) {
    const base::timestamp written{1'000h};
    const auto long_after = written + 8'000h;
    v1::Campaign c;
    for (const auto phase :
         {v1::CAMPAIGN_DRAFT, v1::CAMPAIGN_SEALED, v1::CAMPAIGN_APPROVED, v1::CAMPAIGN_RUNNING, v1::CAMPAIGN_PAUSED}) {
        c.set_phase(phase);
        EXPECT_TRUE(stays(&c, written, long_after)) << phase;
    }
    for (const auto phase : {v1::CAMPAIGN_FINISHED, v1::CAMPAIGN_CANCELLED}) {
        c.set_phase(phase);
        EXPECT_FALSE(stays(&c, written, long_after)) << phase;
    }
}

TEST(Forgetting, WhatIsYoungOrOfAnUnknownCampaignStays) {
    const base::timestamp written{1'000h};
    v1::Campaign c;
    c.set_phase(v1::CAMPAIGN_FINISHED);
    EXPECT_TRUE(stays(&c, written, written + dispatched_kept_afterwards - 1s));
    EXPECT_FALSE(stays(&c, written, written + dispatched_kept_afterwards));
    EXPECT_TRUE(stays(&c, written, written - 1h)) << "the clocks differ";
    EXPECT_TRUE(stays(nullptr, written, written + 8'000h));
}

} // namespace
} // namespace semel::delivery
