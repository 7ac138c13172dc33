// A seal asks Redis whether it can hold the campaign.

#include "support.hpp"

#include <support/redis_server.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// With a Redis of its own, whose limit no other test sees.
class Memory : public Api {
  public:
    void SetUp() override {
        Api::SetUp();
        redis.emplace(io.get_executor(), redis::client_options{.port = server_.port()});
        play([this]() -> asio::awaitable<void> { return redis->connected(); });
    }
    std::string imported_campaign(std::uint64_t rows) {
        const auto id = create();
        tell(compiled(id));
        EXPECT_EQ(upload(id, "recipient_id,email\n1,a@example.com\n").status, 202U);
        tell(imported(id, 1, rows));
        return id;
    }
    void TearDown() override {
        Api::TearDown(); // before its Redis goes
    }

    support::redis_server server_;
};

TEST_F(Memory, ASealSaysHowMuchRedisTheCampaignTakes) {
    const auto id = imported_campaign(1'000'001);
    const auto sealed = step("operator", id, "seal");
    ASSERT_EQ(sealed.status, 200U) << sealed.body;
    const auto redis = sealed.object().at("redis").as_object();
    EXPECT_EQ(redis.at("entries").to_number<std::uint64_t>(), 1'000'000U * (1 + campaign(id).channels_size()));
    EXPECT_EQ(redis.at("bytes"), redis.at("to_come_bytes"));
    EXPECT_TRUE(redis.at("room_bytes").is_null()) << "no maxmemory";
}

TEST_F(Memory, ASealIsRefusedWhenRedisCannotHoldTheCampaign) {
    server_.tell("CONFIG SET maxmemory 100mb");
    const auto id = imported_campaign(1'000'001);
    const auto refused = step("operator", id, "seal");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.body, AllOf(HasSubstr("Redis cannot hold campaign " + id), HasSubstr("CONFIG SET maxmemory"),
                                    HasSubstr("\"retry\":false")));
    EXPECT_EQ(campaign(id).waves(0).phase(), v1::WAVE_IMPORTED);

    server_.tell("CONFIG SET maxmemory 300mb");
    const auto sealed = step("operator", id, "seal");
    EXPECT_EQ(sealed.status, 200U) << sealed.body;
    EXPECT_GT(sealed.object().at("redis").as_object().at("room_bytes").to_number<std::uint64_t>(), 200'000'000U);
}

TEST_F(Memory, ASealDoesNotWaitForARedisThatIsAway) {
    server_.hold();
    const auto id = imported_campaign(10);
    const auto sealed = step("operator", id, "seal");
    server_.go_on();
    ASSERT_EQ(sealed.status, 200U) << sealed.body;
    EXPECT_THAT(sealed.object().at("redis").as_object().at("unknown").as_string(), HasSubstr("did not answer"));
}

} // namespace
} // namespace semel::api::test
