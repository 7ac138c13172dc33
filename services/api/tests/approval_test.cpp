// An approval binds what its approver looked at.

#include <api/core/lifecycle.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel;

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const api::user approver{.name = "approver", .roles = {api::role::approver}};

v1::Campaign a_campaign() {
    v1::Campaign c;
    c.set_id("c-test");
    c.set_version(1);
    c.set_phase(v1::CAMPAIGN_SEALED);
    c.set_notice_digest("notice");
    c.add_artifacts()->set_locale("ko");
    return c;
}

void add_wave(v1::Campaign& c, std::map<std::uint32_t, api::wave_plan>& plans, std::uint64_t rows) {
    auto* wave = c.add_waves();
    wave->set_number(static_cast<std::uint32_t>(c.waves_size()));
    wave->set_phase(v1::WAVE_REGISTERED);
    wave->set_rows(rows);
    plans[wave->number()].recipients = rows;
}

} // namespace

TEST(Approval, OfTwentyPeopleIsNoneOfThreeThousand) {
    auto c = a_campaign();
    std::map<std::uint32_t, api::wave_plan> plans;
    add_wave(c, plans, 20);
    const auto looked_at = api::what_to_approve(c, plans, {}).value();
    add_wave(c, plans, 2'980); // while the approver reads

    const auto refused = api::approve(c, plans, {}, "operator", approver, looked_at.shown);
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().retryable()) << "the same again would be refused again";
    EXPECT_THAT(refused.error().why(), AllOf(HasSubstr("nothing was approved"),
                                             HasSubstr("the audience, the counts: wave 2 with 2980 rows came"),
                                             HasSubstr("Now waves 1, 2 with 3000 rows"), Not(HasSubstr("the notice"))));

    const auto looked_again = api::what_to_approve(c, plans, {}).value();
    const auto ok = api::approve(c, plans, {}, "operator", approver, looked_again.shown);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->approval.waves, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(ok->approval.audience_digest, looked_again.shown.audience);
}

TEST(Approval, SaysWhichOfTheThreeIsAnother) {
    auto c = a_campaign();
    std::map<std::uint32_t, api::wave_plan> plans;
    add_wave(c, plans, 20);
    const auto now = api::what_to_approve(c, plans, {}).value();
    const auto why_not = [&](api::sight seen) {
        const auto refused = api::approve(c, plans, {}, "operator", approver, seen);
        return refused ? std::string{} : refused.error().why();
    };
    auto seen = now.shown;
    seen.notice = "another";
    EXPECT_THAT(why_not(seen), HasSubstr("Changed: the notice."));
    seen = now.shown;
    seen.audience = "another";
    EXPECT_THAT(why_not(seen), HasSubstr("Changed: the audience."));
    seen = now.shown;
    seen.plan = "another";
    EXPECT_THAT(why_not(seen), HasSubstr("Changed: the counts."));
    EXPECT_THAT(why_not({}), HasSubstr("Changed: the notice, the audience, the counts."));
    EXPECT_EQ(why_not(now.shown), "");
}

TEST(Approval, SaysWhatCameInBetweenByTheDigestAlone) {
    auto c = a_campaign();
    std::map<std::uint32_t, api::wave_plan> plans;
    add_wave(c, plans, 20);
    add_wave(c, plans, 30);
    const auto two = api::what_to_approve(c, plans, {}).value();
    const auto since = [&](const api::approvable& then) {
        return api::came_between(c, plans, api::digest_of(then.shown), api::what_to_approve(c, plans, {}).value());
    };
    EXPECT_EQ(since(two), "") << "nothing";
    add_wave(c, plans, 400);
    add_wave(c, plans, 5'000);
    EXPECT_EQ(since(two), "waves 3, 4 with 5400 rows came");
    const auto four = api::what_to_approve(c, plans, {}).value();
    c.mutable_waves(1)->set_phase(v1::WAVE_DROPPED);
    EXPECT_EQ(since(four), "wave 2 with 30 rows was dropped");
    EXPECT_EQ(api::came_between(c, plans, "what nobody was shown", four), "");
}

TEST(Approval, HasOneDigestThatDiffersWithEachOfTheThree) {
    const api::sight seen{.notice = "a", .audience = "b", .plan = "c"};
    const auto digest = api::digest_of(seen);
    EXPECT_EQ(digest.size(), 32U);
    EXPECT_EQ(api::digest_of(seen), digest);
    EXPECT_NE(api::digest_of({.notice = "ab", .audience = "", .plan = "c"}), digest) << "no field runs into the next";
    EXPECT_NE(api::digest_of({.notice = "x", .audience = "b", .plan = "c"}), digest);
    EXPECT_NE(api::digest_of({.notice = "a", .audience = "x", .plan = "c"}), digest);
    EXPECT_NE(api::digest_of({.notice = "a", .audience = "b", .plan = "x"}), digest);
}
