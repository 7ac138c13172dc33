// Whether Redis can hold what is about to be registered.

#include <api/core/room.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using ::testing::HasSubstr;

v1::Campaign of_a_million() {
    v1::Campaign c;
    c.set_id("c-abcdefghijklmnop");
    for (const auto channel : {v1::CHANNEL_EMAIL, v1::CHANNEL_PUSH, v1::CHANNEL_SMS}) {
        c.add_channels(channel);
    }
    auto& wave = *c.add_waves();
    wave.set_number(1);
    wave.set_phase(v1::WAVE_SEALED);
    wave.set_rows(1'000'000);
    wave.add_spans()->set_end_offset(7);
    return c;
}

constexpr std::uint64_t a_million = 4'000'000 * address_register::bytes_an_entry;

TEST(Room, CountsAnIdAndAnAddressOnEachChannelOfWhatIsSealed) {
    auto c = of_a_million();
    c.mutable_waves(0)->set_rejected(250'000);
    auto& later = *c.add_waves();
    later.set_rows(500);
    later.set_phase(v1::WAVE_IMPORTED);
    EXPECT_EQ(need_of(c, {}), (address_register::memory{3'000'000, a_million / 4 * 3, a_million / 4 * 3}));
    later.set_phase(v1::WAVE_DROPPED);
    EXPECT_EQ(need_of(c, {}).entries, 3'000'000U);
}

TEST(Room, DoesNotCountTwiceWhatIsRegisteredAlready) {
    const auto c = of_a_million();
    const address_register::head standing{"m", "s", {{"1:0", "7"}}};
    EXPECT_EQ(need_of(c, {.register_head = standing}).to_come, 0U);
    EXPECT_EQ(need_of(c, {.register_head = standing}).bytes, a_million);
    const address_register::head of_another_end{"m", "s", {{"1:0", "6"}}};
    EXPECT_EQ(need_of(c, {.register_head = of_another_end}).to_come, a_million);
}

TEST(Room, RefusesWhatDoesNotFitAndSaysWhatToDo) {
    const auto c = of_a_million();
    redis_memory redis{.limit = 10'000'000 + kept_for_sending + a_million, .used = 10'000'000, .register_head = {}};
    const auto need = need_of(c, redis);
    EXPECT_TRUE(has_room(c, need, redis));
    EXPECT_EQ(room_of(redis), a_million);
    --redis.limit;
    const auto refused = has_room(c, need, redis);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what(), base::fault::kind::permanent);
    for (const auto* words :
         {"c-abcdefghijklmnop", "4000000 ids and addresses", "120.0 MB more", "Raise maxmemory to 163 MB"}) {
        EXPECT_THAT(refused.error().why(), HasSubstr(words));
    }
    redis.used = redis.limit + 1;
    EXPECT_EQ(room_of(redis), 0U) << "more is used than allowed";
}

TEST(Room, RefusesNothingWithoutALimitOrWithoutAnAnswer) {
    const auto c = of_a_million();
    const redis_memory no_limit{.limit = 0, .used = 10'000'000, .register_head = {}};
    EXPECT_TRUE(has_room(c, need_of(c, no_limit), no_limit));
    const redis_memory silent{.limit = 1, .used = 0, .register_head = {}, .unknown = "away"};
    EXPECT_TRUE(has_room(c, need_of(c, silent), silent));
    EXPECT_EQ(room_of(silent), std::nullopt);
}

} // namespace
} // namespace semel::api
