#include "events.hpp"

#include <gtest/gtest.h>
#include <ledger/core/batch.hpp>

namespace semel::ledger {
namespace {

using test::notification;
using test::person;
using test::story;

const message& message_of(const batch& b, const std::string& name) {
    return b.campaigns().at("c").messages.at(*base::from_bytes<base::notification_id>(notification(name)));
}

TEST(Batch, MergesTheEventsOfAMessageIntoOneState) {
    story s{"c"};
    batch b;
    ASSERT_TRUE(b.take(s.about(v1::EVENT_ACCEPTED, "a", 2)));
    ASSERT_TRUE(b.take(s.about(v1::EVENT_DEFERRED, "a", 1)));
    ASSERT_TRUE(b.take(s.recipient("p", 1, 7, {"own:a"})));
    EXPECT_EQ(b.campaigns().at("c").messages.size(), 1U);
    EXPECT_EQ(line_of(message_of(b, "a").state), line::accepted);
    ASSERT_TRUE(message_of(b, "a").carrier);
    EXPECT_EQ(message_of(b, "a").carrier->row, 7U);
    EXPECT_EQ(b.events(), 3U);
}

TEST(Batch, KnowsWhichMessagesPartsMustBeCounted) {
    story s{"c"};
    batch b;
    const auto about = [&](v1::EventKind kind, const std::string& name, v1::Channel channel, std::uint32_t parts) {
        auto e = s.about(kind, name);
        e.set_channel(channel);
        e.set_parts(parts);
        return e;
    };
    ASSERT_TRUE(b.take(about(v1::EVENT_ACCEPTED, "one part", v1::CHANNEL_SMS, 1)));
    ASSERT_TRUE(b.take(about(v1::EVENT_ACCEPTED, "three parts", v1::CHANNEL_SMS, 3)));
    ASSERT_TRUE(b.take(about(v1::EVENT_ACCEPTED, "reported on", v1::CHANNEL_SMS, 1)));
    auto reported = about(v1::EVENT_RECEIPT, "reported on", v1::CHANNEL_SMS, 0);
    reported.set_receipt(v1::RECEIPT_DELIVERED);
    ASSERT_TRUE(b.take(std::move(reported)));
    auto arrived = about(v1::EVENT_RECEIPT, "mail", v1::CHANNEL_EMAIL, 0);
    arrived.set_receipt(v1::RECEIPT_DELIVERED);
    ASSERT_TRUE(b.take(std::move(arrived)));
    EXPECT_FALSE(message_of(b, "one part").parts_moved);
    EXPECT_TRUE(message_of(b, "three parts").parts_moved);
    EXPECT_TRUE(message_of(b, "reported on").parts_moved);
    EXPECT_FALSE(message_of(b, "mail").parts_moved) << "a look at the stored events for nothing";
}

TEST(Batch, KnowsAMessageThatOnlyReachesSomebody) {
    story s{"c"};
    batch b;
    ASSERT_TRUE(b.take(s.recipient("q", 1, 8, {"covered:a", "told:b"})));
    EXPECT_FALSE(message_of(b, "a").carrier);
    EXPECT_EQ(message_of(b, "b").state, notification_state{});
    EXPECT_EQ(b.campaigns().at("c").shares.size(), 2U);
}

TEST(Batch, ARejectedRowCarriesItsMessagesAndCountsNoPerson) {
    story s{"c"};
    batch b;
    ASSERT_TRUE(b.take(s.recipient("p", 1, 9, {"own:a", "covered:b"}, v1::EVENT_RECIPIENT_REPEATED)));
    ASSERT_TRUE(message_of(b, "a").carrier);
    EXPECT_FALSE(message_of(b, "a").carrier->stands);
    EXPECT_TRUE(b.campaigns().at("c").shares.empty());
}

TEST(Batch, ForgetsTheSealedMessageOfADoubt) {
    story s{"c"};
    auto doubt = s.about(v1::EVENT_IN_DOUBT, "a");
    doubt.set_dispatch("sealed personal data");
    batch b;
    ASSERT_TRUE(b.take(std::move(doubt)));
    EXPECT_TRUE(b.campaigns().at("c").events.at(0).dispatch().empty());
}

TEST(Batch, RefusesWhatNoServiceWrites) {
    story s{"c"};
    std::vector<v1::Event> wrong;
    wrong.push_back(s.about(v1::EVENT_ACCEPTED, "a"));
    wrong.back().set_id("short");
    wrong.push_back(s.about(v1::EVENT_ACCEPTED, "a"));
    wrong.back().set_notification("short");
    wrong.push_back(s.about(v1::EVENT_ACCEPTED, "a"));
    wrong.back().clear_notification();
    wrong.push_back(s.about(v1::EVENT_ACCEPTED, "a"));
    wrong.back().clear_channel();
    wrong.push_back(s.about(v1::EVENT_ACCEPTED, "a"));
    wrong.back().set_campaign_id("c'; DROP TABLE events");
    wrong.push_back(s.about(v1::EVENT_KIND_UNSPECIFIED, "a"));
    wrong.push_back(s.recipient("p", 1, 1, {"own:a"}));
    wrong.back().set_recipient_ref("short");
    wrong.push_back(s.recipient("p", 1, 1, {"own:a"}));
    wrong.back().mutable_links(0)->set_notification("short");
    batch b;
    for (auto& e : wrong) {
        EXPECT_FALSE(b.take(e)) << e.ShortDebugString();
    }
    EXPECT_TRUE(b.empty());
    EXPECT_TRUE(b.campaigns().empty());
}

TEST(Batch, KeepsAKindThatANewerSemelAdded) {
    story s{"c"};
    batch b;
    EXPECT_TRUE(b.take(s.about(static_cast<v1::EventKind>(99), "a")));
    EXPECT_EQ(b.events(), 1U);
    EXPECT_TRUE(b.campaigns().at("c").messages.empty());
}

TEST(Batch, ADeadLetterBelongsToItsCampaignOrToNone) {
    batch b;
    b.take_dead_letter("c", "events/0 offset 1", "no EventBatch", base::from_us(1));
    b.take_dead_letter("\"nonsense\"", "events/0 offset 2", "no EventBatch", base::from_us(1));
    EXPECT_EQ(b.campaigns().at("c").events.size(), 1U);
    ASSERT_EQ(b.campaigns().at("").events.size(), 1U);
    EXPECT_EQ(b.campaigns().at("").events[0].text(), "events/0 offset 2: no EventBatch");
}

} // namespace
} // namespace semel::ledger
