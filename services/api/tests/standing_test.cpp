// What stands still: in words in the warnings, and as lanes.

#include "support.hpp"

#include <trouble/board.hpp>

namespace semel::api::test {
namespace {

using testing::HasSubstr;
using testing::Not;

trouble::entry stopped(std::string gateway) {
    return {.subject = std::move(gateway),
            .what = trouble::kind::stopped,
            .since = {},
            .words = "stopped, because the gateway refuses us: 535 5.7.8"};
}

trouble::entry throttled(std::string gateway, double limit_per_s) {
    return {.subject = std::move(gateway),
            .what = trouble::kind::throttled,
            .since = {},
            .words = "slowed down, because the gateway refuses more as too fast",
            .limit_per_s = limit_per_s};
}

TEST_F(Api, StatusSaysWhatStandsStillSinceWhenAndWhy) {
    make_ledger();
    const auto id = create();
    trouble::teller email{*redis, "email", "email"};
    play([&]() -> asio::awaitable<void> {
        co_await redis->connected();
        std::vector<trouble::entry> both{stopped("relay-a"), throttled("relay-b", 41.5)};
        co_await email.tell(std::move(both));
    });
    for (const auto* what : {"", "/status"}) {
        const auto said = get("auditor", "/v1/campaigns/" + id + what);
        ASSERT_EQ(said.status, 200U) << said.body;
        EXPECT_THAT(said.body, HasSubstr("email relay-a: stopped, because the gateway refuses us: 535 5.7.8 (since 2"));
        const auto body = said.object();
        const auto& lanes = body.at("lanes").as_array();
        ASSERT_EQ(lanes.size(), 2U);
        EXPECT_EQ(lanes[0].at("gateway").as_string(), "relay-a");
        EXPECT_EQ(lanes[0].at("state").as_string(), "stopped");
        EXPECT_TRUE(lanes[0].at("limit_per_s").is_null());
        EXPECT_EQ(lanes[1].at("gateway").as_string(), "relay-b");
        EXPECT_EQ(lanes[1].at("state").as_string(), "throttled");
        EXPECT_EQ(lanes[1].at("limit_per_s").as_double(), 41.5) << "in force";
        for (const auto& lane : lanes) {
            EXPECT_TRUE(base::from_rfc3339(lane.at("since").as_string().c_str())) << "since when";
            EXPECT_FALSE(lane.at("words").as_string().empty()) << "why";
        }
    }
    play([&]() -> asio::awaitable<void> { return email.tell({}); });
    EXPECT_THAT(get("auditor", "/v1/campaigns/" + id + "/status").body, Not(HasSubstr("relay-a")));
}

TEST_F(Api, ACampaignHearsNothingOfChannelsThatItDoesNotUse) {
    make_ledger();
    auto email_only = new_campaign();
    email_only["channels"] = json::array{"email"};
    const auto made = post("operator", "/v1/campaigns", json::serialize(email_only));
    ASSERT_EQ(made.status, 201U) << made.body;
    trouble::teller sms{*redis, "sms", "sms"};
    play([&]() -> asio::awaitable<void> {
        co_await redis->connected();
        std::vector<trouble::entry> one{stopped("smsc-a")};
        co_await sms.tell(std::move(one));
    });
    EXPECT_THAT(get("auditor", "/v1/campaigns/" + made.text("id") + "/status").body, Not(HasSubstr("smsc-a")));
    play([&]() -> asio::awaitable<void> { return sms.tell({}); });
}

TEST_F(Api, StatusNamesEachWireThatTheSettingsLeaveOpen) {
    make_ledger();
    config.unencrypted = {"kafka: what passes between this machine and kafka.example.com is not encrypted"};
    const auto id = create();
    const auto said = get("auditor", "/v1/campaigns/" + id + "/status");
    EXPECT_THAT(said.body, HasSubstr(config.unencrypted.front()));
}

TEST_F(Api, WithoutRedisStatusAnswersAndSaysSo) {
    make_ledger();
    const auto id = create();
    redis.reset();
    redis.emplace(io.get_executor(), redis::client_options{.port = 1});
    const auto said = get("auditor", "/v1/campaigns/" + id + "/status");
    EXPECT_EQ(said.status, 200U);
    EXPECT_THAT(said.body, HasSubstr("Redis does not answer the api"));
}

} // namespace
} // namespace semel::api::test
