// The test of a campaign: a few marked messages that have nothing to do with the real ones.

#include "support.hpp"

#include <crypto/hash.hpp>
#include <crypto/keys.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <set>

namespace semel::api::test {
namespace {

using testing::HasSubstr;

constexpr auto colleagues = "recipient_id,email,phone,locale,segments\n"
                            "1,kim@example.com,010-1234-5678,ko,entrance_code\n"
                            "2,lee@example.com,,en,\n";

struct Trials : Api {
    std::vector<v1::Dispatch> dispatched() {
        std::vector<v1::Dispatch> all;
        for (const auto channel : {base::channel::email, base::channel::push, base::channel::sms}) {
            for (const auto& row : outbox_of(wire::dispatch(channel))) {
                auto& d = all.emplace_back();
                EXPECT_TRUE(d.ParseFromString(row.value));
                EXPECT_EQ(d.channel(), wire::to_proto(channel));
                EXPECT_EQ(row.key, d.notification());
                EXPECT_EQ(row.partition, base::partition_of(d.notification(), shared->topics.dispatch.at(channel)));
            }
        }
        return all;
    }
    answered try_out(const std::string& id, std::string file = colleagues, const std::string& format = "csv") {
        return post("operator", "/v1/campaigns/" + id + "/test?format=" + format, std::move(file));
    }
};

TEST_F(Trials, AreMessagesMarkedAsTests) {
    const auto id = create();
    tell(compiled(id));
    const auto answer = try_out(id);
    ASSERT_EQ(answer.status, 202U) << answer.body;
    EXPECT_EQ(answer.number("messages"), 3);
    EXPECT_EQ(answer.object().at("channels").as_object().at("email").to_number<int>(), 2);

    const auto c = campaign(id);
    const auto key = crypto::unwrap(kek, c.wrapped_key(), base::campaign_id{id}).value();
    std::set<std::string> to, artifacts;
    for (const auto& d : dispatched()) {
        EXPECT_TRUE(d.test());
        EXPECT_EQ(d.attempt(), 1U);
        EXPECT_EQ(d.campaign_id(), id);
        EXPECT_GT(d.give_up_us(), d.planned_at_us()) << "a test that hangs is given up";
        const auto delivery = wire::open_delivery(key, d);
        ASSERT_TRUE(delivery) << delivery.error().why();
        to.insert(delivery->address().canonical());
        artifacts.insert(d.artifact());
    }
    EXPECT_THAT(to, testing::ElementsAre("+821012345678", "kim@example.com", "lee@example.com"));
    EXPECT_EQ(artifacts.size(), 3U) << "each in its own language, channel and segments";
    EXPECT_EQ(c.version(), 2U) << "the campaign itself did not change";
    EXPECT_EQ(events().back().text(), "test of 3 messages");
}

// The unit of exactly once is the id: a test that took a real one would leave its person untold.
TEST_F(Trials, NeverTakeTheIdOfARealMessage) {
    const auto id = create();
    tell(compiled(id));
    ASSERT_EQ(try_out(id).status, 202U);
    ASSERT_EQ(try_out(id).status, 202U);
    const auto c = campaign(id);
    const auto key = crypto::unwrap(kek, c.wrapped_key(), base::campaign_id{id}).value();
    std::set<std::string> ids;
    for (const auto& d : dispatched()) {
        ids.insert(d.notification());
        const auto delivery = wire::open_delivery(key, d).value();
        for (const auto mode : {v1::DEDUP_ADDRESS, v1::DEDUP_ACCOUNT}) {
            const auto channel = wire::from_proto(d.channel()).value();
            const auto real = wire::notification_id_of(base::campaign_id{id}, channel,
                                                       wire::dedup_key_of(key, mode, channel,
                                                                          base::recipient_id{delivery.recipient_id()},
                                                                          delivery.address().canonical()));
            EXPECT_NE(d.notification(), base::as_view(real));
        }
    }
    EXPECT_EQ(ids.size(), 6U) << "a second test arrives too";
}

TEST_F(Trials, TellOnePersonOnce) {
    const auto id = create();
    tell(compiled(id));
    const auto answer = try_out(id, "recipient_id,email\n1,kim@example.com\n2,KIM@example.com\n");
    EXPECT_EQ(answer.number("messages"), 1) << answer.body;
}

TEST_F(Trials, SayWhichRowsAreBadWithoutTheirValues) {
    const auto id = create();
    tell(compiled(id));
    const auto answer = try_out(id,
                                "{\"recipient_id\":\"1\",\"email\":\"kim@example.com\"}\n"
                                "{\"recipient_id\":\"2\",\"email\":\"no-address-of-anybody\"}\n",
                                "ndjson");
    ASSERT_EQ(answer.status, 202U) << answer.body;
    EXPECT_EQ(answer.number("messages"), 1);
    const auto rejects = answer.object().at("rejects").as_array();
    ASSERT_EQ(rejects.size(), 1U);
    EXPECT_EQ(rejects[0].as_object().at("line").to_number<int>(), 2);
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("no-address-of-anybody")));
}

TEST_F(Trials, WaitForTheNotice) {
    const auto answer = try_out(create());
    EXPECT_EQ(answer.status, 409U);
    EXPECT_TRUE(answer.object().at("retry").as_bool());
}

TEST_F(Trials, AreFew) {
    const auto id = create();
    tell(compiled(id));
    std::string file = "recipient_id,email\n";
    for (int i = 0; i < 51; ++i) {
        file += fmt::format("{},p{}@example.com\n", i, i);
    }
    const auto answer = try_out(id, file);
    EXPECT_EQ(answer.status, 400U);
    EXPECT_THAT(answer.text("error"), HasSubstr("at most 50"));
    EXPECT_EQ(try_out(id, "recipient_id,email\n1,\n").status, 400U) << "nobody to send to";
    EXPECT_EQ(try_out(id, "").status, 400U);
    EXPECT_TRUE(dispatched().empty());
    file.resize(file.rfind('\n', file.size() - 2) + 1); // fifty
    EXPECT_EQ(try_out(id, file).number("messages"), 50);
}

TEST_F(Trials, EndWithTheCampaign) {
    const auto id = create();
    tell(compiled(id));
    ASSERT_EQ(step("operator", id, "cancel").status, 200U);
    EXPECT_EQ(try_out(id).status, 409U);
}

} // namespace
} // namespace semel::api::test
