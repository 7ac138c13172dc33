#include <wire/identity.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <gtest/gtest.h>

#include <set>

using namespace semel;

namespace {
const crypto::campaign_key key = crypto::campaign_key::random();
const base::campaign_id campaign{"c-test"};
const base::recipient_id kim{"kim"};
const base::recipient_id lee{"lee"};
} // namespace

TEST(Identity, OneAddressIsOneNotificationWhoeverHasIt) {
    const auto a = wire::dedup_key_of(key, v1::DEDUP_ADDRESS, base::channel::email, kim, "x@example.com");
    EXPECT_EQ(a, wire::dedup_key_of(key, v1::DEDUP_ADDRESS, base::channel::email, lee, "x@example.com"));
    EXPECT_NE(a, wire::dedup_key_of(key, v1::DEDUP_ADDRESS, base::channel::sms, kim, "x@example.com"));
    EXPECT_NE(a, wire::dedup_key_of(crypto::campaign_key::random(), v1::DEDUP_ADDRESS, base::channel::email, kim,
                                    "x@example.com"));
}

TEST(Identity, WithDedupAccountEveryAccountHasItsOwn) {
    const auto a = wire::dedup_key_of(key, v1::DEDUP_ACCOUNT, base::channel::email, kim, "x@example.com");
    EXPECT_NE(a, wire::dedup_key_of(key, v1::DEDUP_ACCOUNT, base::channel::email, lee, "x@example.com"));
    EXPECT_EQ(a, wire::dedup_key_of(key, v1::DEDUP_ACCOUNT, base::channel::email, kim, "x@example.com"));
}

TEST(Identity, ASupplementIsANotificationOfItsOwn) {
    const auto k = wire::dedup_key_of(key, v1::DEDUP_ADDRESS, base::channel::email, kim, "x@example.com");
    const auto notice = wire::notification_id_of(campaign, base::channel::email, k);
    EXPECT_EQ(notice, wire::notification_id_of(campaign, base::channel::email, k));
    EXPECT_NE(notice, wire::notification_id_of(campaign, base::channel::email, k, 1));
    EXPECT_NE(wire::notification_id_of(campaign, base::channel::email, k, 2),
              wire::notification_id_of(campaign, base::channel::email, k, 1));
    EXPECT_NE(notice, wire::notification_id_of(base::campaign_id{"c-other"}, base::channel::email, k));
}

TEST(Sealed, APartCopiedElsewhereDoesNotOpen) {
    v1::Delivery delivery;
    delivery.set_recipient_id("kim");
    v1::Dispatch dispatch;
    dispatch.set_notification(std::string(32, 'n'));
    dispatch.set_sealed(wire::seal_delivery(key, dispatch.notification(), delivery));
    EXPECT_EQ(wire::open_delivery(key, dispatch).value().recipient_id(), "kim");
    dispatch.set_notification(std::string(32, 'm'));
    EXPECT_FALSE(wire::open_delivery(key, dispatch));

    v1::AudienceRecord record;
    record.set_campaign_id("c-test");
    record.set_upload(1);
    record.set_chunk(7);
    wire::seal_chunk(key, record, v1::AudienceChunk{});
    EXPECT_TRUE(wire::open_chunk(key, record));
    record.set_chunk(8);
    EXPECT_FALSE(wire::open_chunk(key, record));
}

TEST(Topics, EverySubscribedTopicIsCreated) {
    std::set<std::string> created;
    for (const auto& topic : wire::all_topics(8)) {
        EXPECT_TRUE(created.insert(topic.name).second) << topic.name;
    }
    for (const auto& subscription : wire::all_subscriptions()) {
        for (const auto& topic : subscription.topics) {
            EXPECT_TRUE(created.contains(topic)) << subscription.group << " reads " << topic;
        }
    }
}
