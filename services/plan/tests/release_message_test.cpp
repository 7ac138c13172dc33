#include <wire/sealed.hpp>

#include <gtest/gtest.h>
#include <plan/core/release_message.hpp>

using namespace semel;
using plan::fate;
using plan::verdict;

namespace {

const crypto::campaign_key key = crypto::campaign_key::random();
const base::timestamp noon = base::from_us(1'800'000'000'000'000);

v1::Campaign a_campaign() {
    v1::Campaign c;
    c.set_id("c-1");
    c.add_channels(v1::CHANNEL_EMAIL);
    c.add_channels(v1::CHANNEL_SMS);
    c.set_default_locale("en");
    c.set_planned_at_us(42);
    c.set_deadline_us(99);
    for (const auto* locale : {"ko", "en"}) {
        for (const auto channel : {v1::CHANNEL_EMAIL, v1::CHANNEL_SMS}) {
            for (std::uint32_t segments = 0; segments < 2; ++segments) {
                for (const bool supplement : {false, true}) {
                    auto& ref = *c.add_artifacts();
                    ref.set_locale(locale);
                    ref.set_channel(channel);
                    ref.set_segments(segments);
                    ref.set_supplement(supplement);
                    ref.set_artifact(std::string{locale} + v1::Channel_Name(channel) + (supplement ? "+" : "") +
                                     std::to_string(segments));
                }
            }
        }
    }
    return c;
}

v1::Recipient kim() {
    v1::Recipient r;
    r.set_row(7);
    r.set_recipient_id("kim");
    r.set_locale("ko");
    r.set_name("Kim Planted");
    r.set_segments(1);
    (*r.mutable_slots())["order"] = "12";
    auto& email = *r.add_addresses();
    email.set_channel(v1::CHANNEL_EMAIL);
    email.set_canonical("kim@example.com");
    email.set_given("Kim@Example.com");
    auto& phone = *r.add_addresses();
    phone.set_channel(v1::CHANNEL_SMS);
    phone.set_canonical("+820000000");
    return r;
}

struct built {
    v1::Campaign campaign = a_campaign();
    v1::Recipient recipient = kim();
    plan::released out;
    base::result<void> result;

    built& with(std::vector<verdict> verdicts, fate how = fate::dispatched, bool rejected = false) {
        return with(std::move(verdicts), {.how = how, .row = true, .on = plan::channels_of(campaign)}, rejected);
    }
    built& with(std::vector<verdict> verdicts, const plan::portion& part, bool rejected = false) {
        const auto p = plan::person_of(key, campaign, recipient);
        const plan::release_messages messages{campaign, key, 2};
        result = messages.append(out, recipient, *p, {rejected, std::move(verdicts)}, part, noon);
        return *this;
    }
    v1::Dispatch dispatch(std::size_t i) const {
        v1::Dispatch d;
        EXPECT_TRUE(d.ParseFromString(out.messages.at(i).dispatch));
        return d;
    }
};

} // namespace

TEST(ReleaseMessage, AnOwnMessageCarriesAllThatADispatcherNeeds) {
    built b;
    b.with({{0, plan::role::own, false, 1}, {1, plan::role::covered, false, 0}});
    ASSERT_TRUE(b.result);
    ASSERT_EQ(b.out.messages.size(), 1U);
    const auto d = b.dispatch(0);
    EXPECT_EQ(d.campaign_id(), "c-1");
    EXPECT_EQ(d.channel(), v1::CHANNEL_EMAIL);
    EXPECT_EQ(d.attempt(), 1U);
    EXPECT_EQ(d.artifact(), "koCHANNEL_EMAIL1");
    EXPECT_EQ(d.planned_at_us(), 42);
    EXPECT_EQ(d.give_up_us(), 99);
    EXPECT_EQ(d.wave(), 2U);
    EXPECT_EQ(d.row(), 7U);
    EXPECT_EQ(d.notification(), base::as_view(b.out.messages[0].notification));
    const auto delivery = wire::open_delivery(key, d);
    ASSERT_TRUE(delivery);
    EXPECT_EQ(delivery->address().given(), "Kim@Example.com");
    EXPECT_EQ(delivery->name(), "Kim Planted");
    EXPECT_EQ(delivery->slots().at("order"), "12");

    ASSERT_EQ(b.out.events.size(), 1U);
    const auto& e = b.out.events[0];
    EXPECT_EQ(e.kind(), v1::EVENT_RECIPIENT);
    ASSERT_EQ(e.links_size(), 2);
    EXPECT_EQ(e.links(0).role(), v1::Link::OWN);
    EXPECT_EQ(e.links(0).artifact(), d.artifact());
    EXPECT_EQ(e.links(0).notification(), d.notification());
    EXPECT_EQ(e.links(1).role(), v1::Link::COVERED);
    EXPECT_TRUE(e.links(1).artifact().empty());
    const auto recipient = wire::open_recipient(key, e.recipient_ref(), e.sealed());
    ASSERT_TRUE(recipient);
    EXPECT_EQ(recipient->recipient_id(), "kim");
    EXPECT_EQ(e.SerializeAsString().find("Planted"), std::string::npos) << "personal data travels sealed";
    EXPECT_EQ(b.out.messages[0].dispatch.find("Planted"), std::string::npos);
}

TEST(ReleaseMessage, TheSameRowHasTheSameIdsWhoeverReleasesIt) {
    built a;
    built b;
    a.with({{0, plan::role::own, false, 0}});
    b.with({{0, plan::role::own, false, 0}});
    EXPECT_EQ(a.out.messages[0].notification, b.out.messages[0].notification);
    EXPECT_EQ(a.out.events[0].id(), b.out.events[0].id());
    EXPECT_EQ(a.out.events[0].id().size(), 16U);
}

TEST(ReleaseMessage, ASupplementIsANotificationOfItsOwnWithItsOwnText) {
    built b;
    b.with({{0, plan::role::told, false, 0}, {0, plan::role::own, true, 1}});
    ASSERT_TRUE(b.result);
    ASSERT_EQ(b.out.messages.size(), 1U);
    EXPECT_TRUE(b.dispatch(0).supplement());
    EXPECT_EQ(b.dispatch(0).artifact(), "koCHANNEL_EMAIL+1");
    const auto& links = b.out.events.at(0).links();
    ASSERT_EQ(links.size(), 2);
    EXPECT_EQ(links[0].role(), v1::Link::TOLD_EARLIER);
    EXPECT_NE(links[0].notification(), links[1].notification());
    EXPECT_TRUE(links[1].supplement());
}

TEST(ReleaseMessage, WhatIsCancelledOrExpiredFailsAtOnce) {
    for (const auto& [how, code] :
         {std::pair{fate::cancelled, "semel:cancelled"}, std::pair{fate::expired, "semel:expired"}}) {
        built b;
        b.with({{0, plan::role::own, false, 0}, {1, plan::role::covered, false, 0}}, how);
        EXPECT_TRUE(b.out.messages.empty());
        ASSERT_EQ(b.out.events.size(), 2U) << "the row, and one failure: the covered address is its leader's";
        EXPECT_EQ(b.out.events[0].kind(), v1::EVENT_RECIPIENT);
        const auto& failed = b.out.events[1];
        EXPECT_EQ(failed.kind(), v1::EVENT_FAILED);
        EXPECT_EQ(failed.code(), code);
        EXPECT_EQ(failed.notification(), b.out.events[0].links(0).notification());
    }
}

const std::vector<verdict> own_on_both{{0, plan::role::own, false, 0}, {1, plan::role::own, false, 0}};

TEST(ReleaseMessage, AChannelThatIsFullHoldsNoOtherAndTheRowIsToldOfWithAllItsLinks) {
    built b;
    b.with(own_on_both, {.how = fate::dispatched, .row = true, .on = {base::channel::email}});
    ASSERT_TRUE(b.result);
    ASSERT_EQ(b.out.messages.size(), 1U);
    EXPECT_EQ(b.out.messages[0].channel, base::channel::email);
    ASSERT_EQ(b.out.events.size(), 1U);
    ASSERT_EQ(b.out.events[0].links_size(), 2);
    EXPECT_EQ(b.out.events[0].links(1).channel(), v1::CHANNEL_SMS);
    EXPECT_FALSE(b.out.events[0].links(1).artifact().empty());
}

TEST(ReleaseMessage, WhatAChannelLeftBehindIsTheMessageThatTheRowSpokeOf) {
    built whole;
    whole.with(own_on_both);
    built late;
    late.with(own_on_both, {.how = fate::dispatched, .row = false, .on = {base::channel::sms}});
    ASSERT_TRUE(late.result);
    EXPECT_TRUE(late.out.events.empty()) << "the row was told of before";
    ASSERT_EQ(late.out.messages.size(), 1U);
    EXPECT_EQ(late.out.messages[0].notification, whole.out.messages.at(1).notification);
    auto mine = late.dispatch(0);
    auto theirs = whole.dispatch(1);
    EXPECT_EQ(wire::open_delivery(key, mine)->SerializeAsString(),
              wire::open_delivery(key, theirs)->SerializeAsString());
    mine.clear_sealed(); // differs by its nonce
    theirs.clear_sealed();
    EXPECT_EQ(mine.SerializeAsString(), theirs.SerializeAsString());
}

TEST(ReleaseMessage, WhatAChannelLeftBehindFailsWhenTheCampaignIsCancelled) {
    built b;
    b.with(own_on_both, {.how = fate::cancelled, .row = false, .on = {base::channel::sms}});
    EXPECT_TRUE(b.out.messages.empty());
    ASSERT_EQ(b.out.events.size(), 1U);
    EXPECT_EQ(b.out.events[0].kind(), v1::EVENT_FAILED);
    EXPECT_EQ(b.out.events[0].channel(), v1::CHANNEL_SMS);
}

TEST(ReleaseMessage, ARowWithoutAddressesIsListedWithoutLinks) {
    built b;
    b.recipient.clear_addresses();
    b.with({});
    ASSERT_EQ(b.out.events.size(), 1U);
    EXPECT_EQ(b.out.events[0].kind(), v1::EVENT_RECIPIENT);
    EXPECT_EQ(b.out.events[0].links_size(), 0);
}

TEST(ReleaseMessage, ARejectedDoubleIsListedAsSuchWithTheMessagesThatItCarries) {
    built b;
    b.with({{0, plan::role::own, false, 0}}, fate::dispatched, true);
    EXPECT_EQ(b.out.messages.size(), 1U);
    EXPECT_EQ(b.out.events.at(0).kind(), v1::EVENT_RECIPIENT_REPEATED);
    EXPECT_EQ(b.out.events.at(0).links_size(), 1);
}

TEST(ReleaseMessage, AFollowUpTellsTheLedgerWhomOfAnEarlierCampaignARowIs) {
    built b;
    b.recipient.set_follows("sixteen bytes ..");
    b.with({{0, plan::role::own, false, 0}});
    ASSERT_TRUE(b.result);
    EXPECT_EQ(b.out.events.at(0).follows(), "sixteen bytes ..");
}

TEST(ReleaseMessage, AMailNamesThoseBeforeItAndNoOtherMessageDoes) {
    built b;
    b.recipient.add_thread("<first@shop.example.com>");
    b.with({{0, plan::role::own, false, 0}, {1, plan::role::own, false, 0}});
    ASSERT_TRUE(b.result);
    const auto mail = wire::open_delivery(key, b.dispatch(0));
    const auto sms = wire::open_delivery(key, b.dispatch(1));
    ASSERT_TRUE(mail && sms);
    ASSERT_EQ(mail->thread_size(), 1);
    EXPECT_EQ(mail->thread(0), "<first@shop.example.com>");
    EXPECT_EQ(sms->thread_size(), 0);
}

TEST(ReleaseMessage, ALocaleThatTheNoticeDroppedGetsTheDefaultOne) {
    built b;
    b.recipient.set_locale("ja");
    b.with({{0, plan::role::own, false, 0}});
    ASSERT_TRUE(b.result);
    EXPECT_EQ(b.dispatch(0).artifact(), "enCHANNEL_EMAIL0");
}

TEST(ReleaseMessage, AMissingArtifactIsToldInWordsAndReleasesNothingOfTheRow) {
    built b;
    b.with({{0, plan::role::own, false, 0}, {1, plan::role::own, false, 4}});
    ASSERT_FALSE(b.result);
    EXPECT_EQ(b.result.error().what(), base::fault::kind::broken);
    EXPECT_NE(b.result.error().why().find("channel sms, locale ko, segments 0x4"), std::string::npos)
        << b.result.error().why();
    EXPECT_TRUE(b.out.messages.empty());
    EXPECT_TRUE(b.out.events.empty());
}

TEST(ReleaseMessage, ADeadLetterSaysWhereAndWhy) {
    const auto c = a_campaign();
    const plan::release_messages messages{c, key, 1};
    const auto letter = messages.dead_letter("audience partition 3 offset 9", "it does not open", 500, noon);
    EXPECT_EQ(letter.kind(), v1::EVENT_DEAD_LETTER);
    EXPECT_EQ(letter.text(), "audience partition 3 offset 9: it does not open");
    EXPECT_EQ(letter.rows(), 500U);
}
