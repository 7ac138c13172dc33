#include <cli/plan/outlook.hpp>
#include <cli/plan/outlook_view.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace semel::cli::plan {
namespace {

using namespace std::chrono_literals;
using base::channel;
using testing::HasSubstr;
using testing::Not;

const auto start = base::from_us(1'790'000'000'000'000);

v1::Recipient person(const std::string& id, std::vector<std::pair<v1::Channel, std::string>> addresses) {
    v1::Recipient r;
    r.set_recipient_id(id);
    for (auto& [at, canonical] : addresses) {
        auto& a = *r.add_addresses();
        a.set_channel(at);
        a.set_canonical(canonical);
        if (at == v1::CHANNEL_PUSH) {
            a.set_transport(canonical.substr(0, canonical.find(':')));
        }
    }
    return r;
}

load counted(const std::vector<v1::Recipient>& people, dedup by = dedup::address,
             std::vector<channel> channels = {channel::email, channel::push, channel::sms}) {
    load_counter count{{"big.example"}, std::move(channels), by};
    for (const auto& one : people) {
        count.add(one);
    }
    return count.finish();
}

const std::vector<v1::Recipient> a_family{
    person("kim", {{v1::CHANNEL_EMAIL, "kim@big.example"}, {v1::CHANNEL_PUSH, "apns:aa"}, {v1::CHANNEL_PUSH, "fcm:b"}}),
    person("lee", {{v1::CHANNEL_EMAIL, "kim@big.example"}, {v1::CHANNEL_SMS, "+821012345678"}}),
    person("lee", {{v1::CHANNEL_EMAIL, "lee@small.example"}}),
};

question asked(std::map<part, part_load> parts, plan::rates rates, base::duration until = 0s) {
    question q;
    q.load.parts = std::move(parts);
    q.rates = std::move(rates);
    q.begins = start;
    if (until != 0s) {
        q.deadline = start + until;
    }
    return q;
}

TEST(WhatIfLoad, AnAddressIsOneMessageAndAnIdOnePerson) {
    const auto got = counted(a_family);
    EXPECT_EQ(got.repeated, 1U);
    EXPECT_EQ(got.parts.at({channel::email, "big.example"}).addresses, 2U);
    EXPECT_EQ(got.parts.at({channel::email, "big.example"}).messages, 1U);
    EXPECT_EQ(got.parts.at({channel::email, ""}).messages, 1U) << "a domain that nobody asked about is with the rest";
    EXPECT_EQ(got.parts.at({channel::push, "apns"}).messages, 1U);
    EXPECT_EQ(got.parts.at({channel::push, "fcm"}).messages, 1U);
    EXPECT_EQ(got.parts.at({channel::sms, ""}).messages, 1U);
}

TEST(WhatIfLoad, ByAccountASharedAddressIsAMessageForEach) {
    EXPECT_EQ(counted(a_family, dedup::account).parts.at({channel::email, "big.example"}).messages, 2U);
}

TEST(WhatIfLoad, AChannelThatIsNotUsedHasNone) {
    const auto got = counted(a_family, dedup::address, {channel::sms});
    EXPECT_EQ(got.parts.size(), 1U);
}

TEST(Outlook, TheSlowestChannelIsTheEnd) {
    const auto seen = foresee(asked({{{channel::email, ""}, {1'000, 900}}, {{channel::sms, ""}, {100, 100}}},
                                    {{{channel::email, ""}, 300}, {{channel::sms, ""}, 4}}, 60s));
    EXPECT_EQ(seen.channels.at(channel::email).done, start + 3s);
    EXPECT_EQ(seen.channels.at(channel::sms).done, start + 25s);
    EXPECT_EQ(seen.slowest, channel::sms);
    EXPECT_EQ(seen.done, start + 25s);
    EXPECT_EQ(seen.in_time, true);
}

TEST(Outlook, WhatIsLateSaysTheRateThatWouldDo) {
    const auto seen = foresee(asked({{{channel::sms, ""}, {1'000, 1'000}}}, {{{channel::sms, ""}, 10}}, 40s));
    EXPECT_EQ(seen.in_time, false);
    EXPECT_TRUE(seen.channels.at(channel::sms).late);
    EXPECT_DOUBLE_EQ(*seen.channels.at(channel::sms).needs, 25);
}

TEST(Outlook, AnSmsCountsPartByPart) {
    auto q = asked({{{channel::sms, ""}, {100, 100}}}, {{{channel::sms, ""}, 10}});
    q.sms_parts = 3;
    EXPECT_EQ(foresee(q).done, start + 30s);
    EXPECT_FALSE(foresee(q).in_time) << "there is no deadline";
}

TEST(Outlook, ADomainWithALimitOfItsOwnMayBeTheNarrowestPart) {
    const auto seen = foresee(asked({{{channel::email, ""}, {900, 900}}, {{channel::email, "big.example"}, {100, 100}}},
                                    {{{channel::email, ""}, 1'000}, {{channel::email, "big.example"}, 5}}, 10s));
    const auto& email = seen.channels.at(channel::email);
    EXPECT_EQ(email.messages, 1'000U);
    EXPECT_EQ(email.narrowest, "big.example");
    EXPECT_EQ(email.done, start + 20s);
    EXPECT_DOUBLE_EQ(*email.needs, 10) << "of the domain, not of the channel";
}

TEST(Outlook, TransportsOfPushGoSideBySide) {
    const std::map<part, part_load> both{{{channel::push, "apns"}, {10, 10}}, {{channel::push, "fcm"}, {20, 20}}};
    const auto seen = foresee(asked(both, {{{channel::push, "apns"}, 1}, {{channel::push, "fcm"}, 1}}));
    EXPECT_EQ(seen.done, start + 20s);
    const auto unknown = foresee(asked(both, {{{channel::push, "apns"}, 1}}));
    EXPECT_FALSE(unknown.done) << "FCM has no rate that is known";
    EXPECT_EQ(unknown.channels.at(channel::push).per_second, 0);
}

TEST(Outlook, WithoutARateNobodyCanSay) {
    const auto seen = foresee(
        asked({{{channel::email, ""}, {10, 10}}, {{channel::sms, ""}, {10, 10}}}, {{{channel::email, ""}, 1}}, 1h));
    EXPECT_FALSE(seen.done);
    EXPECT_FALSE(seen.in_time);
    const auto late = foresee(
        asked({{{channel::email, ""}, {10, 10}}, {{channel::sms, ""}, {10, 10}}}, {{{channel::email, ""}, 1}}, 5s));
    EXPECT_EQ(late.in_time, false) << "one channel alone is too late already";
}

TEST(Outlook, TheCampaignsOwnRateIsOfAllChannelsTogether) {
    auto q = asked({{{channel::email, ""}, {50, 50}}, {{channel::sms, ""}, {50, 50}}},
                   {{{channel::email, ""}, 100}, {{channel::sms, ""}, 100}}, 20s);
    q.own_rate = 2;
    const auto seen = foresee(q);
    EXPECT_EQ(seen.done, start + 50s);
    EXPECT_FALSE(seen.slowest) << "no channel is to blame";
    EXPECT_EQ(seen.in_time, false);
    EXPECT_DOUBLE_EQ(*seen.own->needs, 5);
}

TEST(Outlook, WhatBeginsAfterTheDeadlineIsLateAtAnyRate) {
    const auto seen = foresee(asked({{{channel::sms, ""}, {1, 1}}}, {{{channel::sms, ""}, 1'000}}, -1h));
    EXPECT_EQ(seen.in_time, false);
    EXPECT_FALSE(seen.channels.at(channel::sms).needs);
}

TEST(Outlook, WhatTakesLongerThanACenturyHasNoDate) {
    const auto seen =
        foresee(asked({{{channel::sms, ""}, {1, 4'000'000'000'000}}}, {{{channel::sms, ""}, 1.0 / 3600}}, 1h));
    EXPECT_FALSE(seen.done);
    EXPECT_EQ(seen.in_time, false);
}

finding found(question q) {
    finding f;
    f.file = "people.csv";
    f.totals = {.rows = 1'002, .rejected = 2};
    f.rejects = {{"recipient_id: it is empty (row rejected)", 2}};
    f.seen = foresee(q);
    f.asked = std::move(q);
    return f;
}

TEST(OutlookView, SaysWhatWouldHelp) {
    const auto text =
        outlook_text(found(asked({{{channel::sms, ""}, {1'000, 1'000}}}, {{{channel::sms, ""}, 10}}, 33s)));
    EXPECT_THAT(text, HasSubstr("people.csv: 1,002 rows, 2 rejected, 0 repeated\n"));
    EXPECT_THAT(text, HasSubstr("2 x recipient_id: it is empty (row rejected)"));
    EXPECT_THAT(text, HasSubstr("1 min 40 s"));
    EXPECT_THAT(text, HasSubstr("1 min 7 s after the deadline; sms is the slowest"));
    EXPECT_THAT(text, HasSubstr("sms: at 10/s it is late; 31/s would do")) << "30.3, rounded up";
}

TEST(OutlookView, InTimeSaysByHowMuch) {
    const auto text =
        outlook_text(found(asked({{{channel::sms, ""}, {1'000, 1'000}}}, {{{channel::sms, ""}, 10}}, 1h)));
    EXPECT_THAT(text, HasSubstr("58 min 20 s before the deadline"));
    EXPECT_THAT(text, Not(HasSubstr("would do")));
}

TEST(OutlookView, AMissingRateIsAskedFor) {
    const auto text = outlook_text(found(asked({{{channel::push, "fcm"}, {10, 10}}}, {}, 1h)));
    EXPECT_THAT(text, HasSubstr("cannot be said"));
    EXPECT_THAT(text, HasSubstr("--rates push=N"));
}

TEST(OutlookView, JsonHasNullForWhatNobodyKnows) {
    const auto known = outlook_json(found(asked({{{channel::sms, ""}, {10, 10}}}, {{{channel::sms, ""}, 1}}, 5s)));
    EXPECT_EQ(known.at("in_time"), false);
    EXPECT_EQ(known.at("channels").at("sms").at("needs_per_s"), 2.0);
    EXPECT_EQ(known.at("slowest"), "sms");
    const auto unknown = outlook_json(found(asked({{{channel::sms, ""}, {10, 10}}}, {})));
    EXPECT_TRUE(unknown.at("in_time").is_null());
    EXPECT_TRUE(unknown.at("done").is_null());
    EXPECT_TRUE(unknown.at("channels").at("sms").at("rate_per_s").is_null());
}

} // namespace
} // namespace semel::cli::plan
