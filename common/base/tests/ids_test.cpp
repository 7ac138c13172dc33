#include <base/ids.hpp>

#include <gtest/gtest.h>

#include <set>

using namespace semel::base;

TEST(Ids, AHashOfTheWrongLengthIsNoId) {
    EXPECT_TRUE(from_bytes<notification_id>(std::string(32, 'x')));
    EXPECT_FALSE(from_bytes<notification_id>(std::string(31, 'x')));
    EXPECT_FALSE(from_bytes<recipient_ref>(""));
}

TEST(Ids, EveryPartitionGetsItsShare) {
    std::set<std::int32_t> seen;
    for (int i = 0; i < 256; ++i) {
        const auto p = partition_of(std::string{'\0', '\0', '\0', static_cast<char>(i)}, 8);
        ASSERT_GE(p, 0);
        ASSERT_LT(p, 8);
        seen.insert(p);
    }
    EXPECT_EQ(seen.size(), 8U);
    EXPECT_EQ(partition_of("\xff\xff\xff\xff", 8), 7); // the sign bit is not a minus
}

TEST(Ids, AnEarlierWaveComesFirst) {
    EXPECT_LT((sequence{.wave = 1, .row = 900}), (sequence{.wave = 2, .row = 1}));
    EXPECT_LT((sequence{.wave = 1, .row = 1}), (sequence{.wave = 1, .row = 2}));
}

TEST(Ids, ChannelsKeepTheirNames) {
    for (const auto c : {channel::email, channel::push, channel::sms}) {
        EXPECT_EQ(channel_from(to_string(c)), c);
    }
    EXPECT_FALSE(channel_from("fax"));
}
