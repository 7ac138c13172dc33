#include <wire/events.hpp>
#include <wire/identity.hpp>

#include <gtest/gtest.h>

#include <map>

namespace semel::wire {
namespace {

v1::Dispatch a_dispatch(char id, v1::Channel channel = v1::CHANNEL_EMAIL) {
    v1::Dispatch d;
    d.set_campaign_id("c-1");
    d.set_notification(std::string(32, id));
    d.set_channel(channel);
    d.set_attempt(2);
    d.set_wave(1);
    d.set_row(7);
    d.set_recipient_ref(std::string(16, id));
    d.set_resend(true);
    d.set_sealed("sealed");
    return d;
}

constexpr base::timestamp noon = base::from_us(1'000'000);

TEST(Events, SayWhatTheirDispatchSaysUnderAnIdThatIsAFunctionOfIt) {
    const auto d = a_dispatch('a');
    const auto e = event_of(v1::EVENT_ACCEPTED, d, noon);
    EXPECT_EQ(e.id(), event_id(v1::EVENT_ACCEPTED, d.notification(), 2));
    EXPECT_EQ(e.id(), event_of(v1::EVENT_ACCEPTED, d, noon + std::chrono::hours{1}).id()) << "told twice, it is one";
    EXPECT_NE(e.id(), event_of(v1::EVENT_FAILED, d, noon).id());
    EXPECT_NE(e.id(), event_of(v1::EVENT_ACCEPTED, d, noon, "elsewhere").id());
    EXPECT_EQ(e.row(), 7U);
    EXPECT_EQ(e.time_us(), 1'000'000);
    EXPECT_TRUE(e.resend());
}

TEST(Events, KeepTheNumberOfAnSmsOnly) {
    auto e = event_of(v1::EVENT_ACCEPTED, a_dispatch('a'), noon);
    keep_number(e, a_dispatch('a'));
    EXPECT_TRUE(e.dispatch().empty());
    keep_number(e, a_dispatch('a', v1::CHANNEL_SMS));
    v1::Dispatch kept;
    ASSERT_TRUE(kept.ParseFromString(e.dispatch()));
    EXPECT_EQ(kept.sealed(), "sealed");
    EXPECT_EQ(kept.row(), 0U) << "nothing else";
}

TEST(Events, AreReadableWhateverAPeerSays) {
    auto e = event_of(v1::EVENT_FAILED, a_dispatch('a'), noon);
    tell(e, {.gateway = "relay-a", .code = "\xff", .text = "\xc3", .message_id = "id\x01"});
    v1::Event read;
    EXPECT_TRUE(read.ParseFromString(e.SerializeAsString()));
    EXPECT_EQ(read.code(), "%ff");
    EXPECT_EQ(read.gateway_message_id(), "id%01");
}

TEST(Events, AboutTheSameAreInOnePartition) {
    auto of_a_message = event_of(v1::EVENT_ACCEPTED, a_dispatch('a'), noon);
    const auto message = partition_of(of_a_message, 1'000);
    of_a_message.set_recipient_ref(std::string(16, 'b'));
    EXPECT_EQ(partition_of(of_a_message, 1'000), message);
    v1::Event of_a_campaign;
    of_a_campaign.set_campaign_id("c-1");
    const auto campaign = partition_of(of_a_campaign, 1'000);
    of_a_campaign.set_kind(v1::EVENT_OPERATOR);
    EXPECT_EQ(partition_of(of_a_campaign, 1'000), campaign);
    of_a_campaign.set_campaign_id("c-2");
    EXPECT_NE(partition_of(of_a_campaign, 1'000), campaign) << "not all in one";
}

TEST(Events, TravelInBatchesOfTheirPartition) {
    event_batches batches{4, 300};
    std::map<std::string, std::int32_t> added;
    for (char id = 'a'; id <= 'z'; ++id) {
        const auto e = event_of(v1::EVENT_ACCEPTED, a_dispatch(id), noon);
        added[e.id()] = partition_of(e, 4);
        batches.add(e);
    }
    std::size_t records = 0;
    for (const auto& r : batches.take()) {
        ++records;
        v1::EventBatch batch;
        ASSERT_TRUE(batch.ParseFromString(r.value));
        for (const auto& e : batch.events()) {
            EXPECT_EQ(added.at(e.id()), r.partition);
            added.erase(e.id());
        }
    }
    EXPECT_TRUE(added.empty()) << "each of them, once";
    EXPECT_GT(records, 4U) << "a batch has its limit";
    EXPECT_TRUE(batches.take().empty());
}

} // namespace
} // namespace semel::wire
