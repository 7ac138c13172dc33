// The test of a campaign: a few marked messages that have nothing to do with the real ones.

#include "doubts_support.hpp"

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

struct Trials : Doubts {
    void SetUp() override {
        config.tests.addresses = {"Kim@Example.com", "lee@example.com", "+82 10-1234-5678"};
        Doubts::SetUp();
    }
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
    answered change_list(const std::string& user, const std::string& what, const std::string& address) {
        return post(user, "/v1/test-addresses", json::serialize(json::object{{what, address}}));
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
    const auto key = kek.unwrap(c.wrapped_key(), base::campaign_id{id}).value();
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

// 960 mails went to strangers by an operator alone.
TEST_F(Trials, GoToNobodyWhoIsNotListed) {
    const auto id = create();
    tell(compiled(id));
    const auto refused = try_out(id, "recipient_id,email\n1,stranger@example.com\n");
    EXPECT_EQ(refused.status, 400U);
    EXPECT_THAT(refused.text("error"), HasSubstr("not on the list of test addresses"));
    const auto partly = try_out(id, "recipient_id,email,phone\n1,kim@example.com,010-9999-9999\n");
    ASSERT_EQ(partly.status, 202U) << partly.body;
    EXPECT_EQ(partly.number("messages"), 1);
    const auto rejects = partly.object().at("rejects").as_array();
    ASSERT_EQ(rejects.size(), 1U);
    EXPECT_EQ(rejects[0].as_object().at("line").to_number<int>(), 2);
    EXPECT_EQ(rejects[0].as_object().at("column").as_string(), "sms");
    EXPECT_THAT(partly.body, testing::Not(HasSubstr("9999")));
}

TEST_F(Trials, GoToWhomAnApproverListed) {
    const auto id = create();
    tell(compiled(id));
    const std::string row = "recipient_id,email\n1,choi@example.com\n";
    EXPECT_EQ(change_list("operator", "add", "choi@example.com").status, 403U);
    EXPECT_EQ(change_list("auditor", "add", "choi@example.com").status, 403U);
    ASSERT_EQ(change_list("approver", "add", "Choi@example.com").status, 200U);
    ASSERT_EQ(change_list("approver", "add", "choi@example.com").status, 200U) << "the same again";
    EXPECT_EQ(try_out(id, row).status, 202U);
    ASSERT_EQ(change_list("approver", "remove", "choi@example.com").status, 200U);
    EXPECT_EQ(try_out(id, row).status, 400U);

    const auto kept = json::read(get("auditor", "/v1/test-addresses").body).value().as_array();
    ASSERT_EQ(kept.size(), 4U) << "three of semel.yaml, and one that is not forgotten";
    const auto& last = kept.back().as_object();
    EXPECT_EQ(last.at("address").as_string(), "c...@example.com") << "the database does not know it either";
    EXPECT_FALSE(last.at("in_force").as_bool());
    EXPECT_EQ(last.at("added_by").as_string(), "approver");
    EXPECT_EQ(last.at("removed_by").as_string(), "approver");
    EXPECT_FALSE(last.at("removed").is_null());
    EXPECT_EQ(kept.front().as_object().at("added_by").as_string(), "semel.yaml");
    for (const auto* nothing : {R"({})", R"({"add":"kim"})", R"({"add":"a@example.com","remove":"a@example.com"})"}) {
        EXPECT_EQ(post("approver", "/v1/test-addresses", nothing).status, 400U) << nothing;
    }
}

TEST_F(Trials, AreSoManyADayOfEachCampaign) {
    config.tests.messages_a_day = 4;
    const auto id = create();
    tell(compiled(id));
    ASSERT_EQ(try_out(id).status, 202U) << "three";
    const auto refused = try_out(id);
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), HasSubstr("4 a day"));
    EXPECT_FALSE(refused.object().at("retry").as_bool());
    EXPECT_EQ(dispatched().size(), 3U);
    EXPECT_EQ(try_out(id, "recipient_id,email\n1,kim@example.com\n").status, 202U) << "the fourth";
    const auto another = create();
    tell(compiled(another));
    EXPECT_EQ(try_out(another).status, 202U);
    db->run_blocking(
        [](pqxx::connection& c) { pqxx::nontransaction{c}.exec("UPDATE api.trials SET at = at - interval '1 day'"); });
    EXPECT_EQ(try_out(id).status, 202U) << "the day after";
}

TEST_F(Trials, AreInTheHistoryOfTheirCampaign) {
    tell(compiled(id));
    ASSERT_EQ(try_out(id, "recipient_id,email\n1,kim@example.com\n").status, 202U);
    auto told = events();
    const auto asked = std::ranges::find_if(told, [](const auto& e) { return e.test(); });
    ASSERT_NE(asked, told.end());
    EXPECT_EQ(asked->actor(), "operator");
    auto accepted = s.event(v1::EVENT_ACCEPTED);
    accepted.set_id(wire::event_id(v1::EVENT_ACCEPTED, asked->notification(), 1));
    accepted.set_notification(asked->notification());
    accepted.set_channel(v1::CHANNEL_EMAIL);
    accepted.set_attempt(1);
    accepted.set_gateway("relay-a");
    accepted.set_test(true);
    accepted.set_time_us(asked->time_us() + 1);
    told.push_back(accepted);
    record(told);

    std::vector<std::string> lines;
    for (const auto& item : list("history")) {
        const auto& a = item.as_object();
        lines.push_back(fmt::format("{}|{}|{}|{}|{}", std::string{a.at("kind").as_string()},
                                    std::string{a.at("actor").as_string()}, std::string{a.at("text").as_string()},
                                    std::string{a.at("channel").as_string()},
                                    std::string{a.at("gateway").as_string()}));
    }
    EXPECT_THAT(lines,
                testing::UnorderedElementsAre("operator|operator|created||", "operator|operator|test message|email|",
                                              "accepted|||email|relay-a", "operator|operator|test of 1 messages||"));
}

// The unit of exactly once is the id: a test that took a real one would leave its person untold.
TEST_F(Trials, NeverTakeTheIdOfARealMessage) {
    const auto id = create();
    tell(compiled(id));
    ASSERT_EQ(try_out(id).status, 202U);
    ASSERT_EQ(try_out(id).status, 202U);
    const auto c = campaign(id);
    const auto key = kek.unwrap(c.wrapped_key(), base::campaign_id{id}).value();
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
        config.tests.addresses.push_back(fmt::format("p{}@example.com", i));
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
