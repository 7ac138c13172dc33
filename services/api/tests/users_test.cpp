// People with names: roles, tokens that end, and the record of who was given what.

#include "own_role.hpp"
#include "support.hpp"

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Users : Api {
    void SetUp() override {
        Api::SetUp();
        db->run_blocking(make_all_tables);
        steps.emplace(as_own_role(config.postgres_dsn), 2);
    }
    answered as(const std::string& token, const std::string& method, const std::string& target, std::string body = {}) {
        auto r = request("", method, target, std::move(body));
        r.headers.emplace_back("Authorization", "Bearer " + token);
        return call(std::move(r));
    }
    std::string add(const std::string& name, const std::string& rest = R"("roles":["operator"])") {
        const auto made = post("administrator", "/v1/users", R"({"user":")" + name + "\"," + rest + "}");
        EXPECT_EQ(made.status, 201U) << made.body;
        return made.text("token");
    }
    json::array told(const std::string& query = {}) {
        return get("auditor", "/v1/users/events" + query).object().at("events").as_array();
    }
    std::vector<std::string> whats(const std::string& user) {
        std::vector<std::string> out;
        for (const auto& one : told("?user=" + user)) {
            out.emplace_back(one.as_object().at("what").as_string());
        }
        return out;
    }
    void as_owner(const std::string& sql) {
        pqxx::connection owner{config.postgres_dsn};
        pqxx::nontransaction{owner}.exec(sql);
    }
};

TEST_F(Users, AreAddedWithATokenThatIsToldOnce) {
    const auto made = post("administrator", "/v1/users", R"({"user":"kim","roles":["auditor","operator"],"days":7})");
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto token = made.text("token");
    EXPECT_THAT(token, testing::MatchesRegex("semel_[0-9a-f]{64}"));
    const auto me = as(token, "GET", "/v1/whoami");
    EXPECT_EQ(me.text("user"), "kim");
    EXPECT_EQ(json::serialize(me.object().at("roles")), R"(["operator","auditor"])");
    const auto expires = base::from_rfc3339(made.text("expires"));
    ASSERT_TRUE(expires);
    EXPECT_LT(*expires - base::now(), std::chrono::days{7});
    EXPECT_GT(*expires - base::now(), std::chrono::days{6});

    const auto listed = get("auditor", "/v1/users");
    EXPECT_THAT(listed.body, AllOf(HasSubstr(R"("user":"kim")"), Not(HasSubstr(token)), Not(HasSubstr("sha256"))));
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        for (const auto* table : {"api.users", "api.tokens", "ledger.access_events"}) {
            for (const auto& row : tx.exec(std::string{"SELECT t::text FROM "} + table + " t")) {
                EXPECT_THAT(row[0].as<std::string>(), Not(HasSubstr(token.substr(6)))) << table;
            }
        }
    });
}

TEST_F(Users, AreAddedByAdministratorsAlone) {
    for (const auto* user : {"operator", "approver", "product", "auditor"}) {
        EXPECT_EQ(post(user, "/v1/users", R"({"user":"kim","roles":["operator"]})").status, 403U) << user;
        EXPECT_EQ(post(user, "/v1/users/kim/roles", R"({"roles":["operator"]})").status, 403U) << user;
        EXPECT_EQ(post(user, "/v1/users/kim/tokens", "{}").status, 403U) << user;
    }
    for (const auto* body :
         {"", "{}", R"({"user":"kim"})", R"({"user":"Kim","roles":["operator"]})", R"({"user":"kim","roles":["root"]})",
          R"({"user":"kim","roles":"operator"})", R"({"user":"operator","roles":["operator"]})",
          R"({"user":"kim","roles":["operator"],"days":0})", R"({"user":"kim","roles":["operator"],"days":"9"})",
          R"({"user":"kim","roles":["operator"],"scope":["write"]})"}) {
        EXPECT_EQ(post("administrator", "/v1/users", body).status, 400U) << body;
    }
    EXPECT_THAT(get("auditor", "/v1/users").body, Not(HasSubstr("kim")));
}

TEST_F(Users, ApproveNoCampaignOfTheirOwnWhateverRolesTheyHave) {
    const auto token = add("kim", R"("roles":["operator","approver","administrator"])");
    const auto made = as(token, "POST", "/v1/campaigns", json::serialize(new_campaign()));
    ASSERT_EQ(made.status, 201U) << made.body;
    tell(compiled(made.text("id")));
    EXPECT_THAT(made.text("id"), Not(IsEmpty()));
    const auto seen = R"({"seen":{"notice":")" + std::string(64, '0') + R"(","audience":")" + std::string(64, '0') +
                      R"(","plan":")" + std::string(64, '0') + "\"}}";
    const auto refused = as(token, "POST", "/v1/campaigns/" + made.text("id") + "/approve", seen);
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), HasSubstr("kim created campaign"));
    // Nor by a role more, given to oneself.
    EXPECT_EQ(as(token, "POST", "/v1/users/kim/roles", R"({"roles":["approver"]})").status, 403U);
}

TEST_F(Users, LoseARoleFromTheNextRequestOn) {
    const auto token = add("kim", R"("roles":["operator","auditor"])");
    ASSERT_EQ(as(token, "GET", "/v1/lookups").status, 200U);
    ASSERT_EQ(post("administrator", "/v1/users/kim/roles", R"({"roles":["operator"]})").status, 200U);
    EXPECT_EQ(as(token, "GET", "/v1/lookups").status, 403U);
    EXPECT_EQ(as(token, "GET", "/v1/whoami").status, 200U);
    EXPECT_EQ(post("administrator", "/v1/users/kim/roles", R"({"roles":[]})").status, 400U);
    EXPECT_EQ(post("administrator", "/v1/users/lee/roles", R"({"roles":["operator"]})").status, 404U);
}

TEST_F(Users, HaveTokensForLessThanTheyMay) {
    add("kim", R"("roles":["operator","auditor"])");
    const auto reading = post("administrator", "/v1/users/kim/tokens", R"({"scope":["read"]})").text("token");
    EXPECT_EQ(as(reading, "GET", "/v1/campaigns").status, 200U);
    const auto refused = as(reading, "POST", "/v1/campaigns", json::serialize(new_campaign()));
    EXPECT_EQ(refused.status, 403U);
    EXPECT_THAT(refused.text("error"), HasSubstr("only reads"));
    const auto auditing = post("administrator", "/v1/users/kim/tokens", R"({"scope":["auditor"]})").text("token");
    EXPECT_EQ(as(auditing, "GET", "/v1/lookups").status, 200U);
    EXPECT_EQ(as(auditing, "POST", "/v1/campaigns", json::serialize(new_campaign())).status, 403U);
}

TEST_F(Users, AreNotKnownByATokenThatHasEnded) {
    const auto token = add("kim");
    as_owner("UPDATE api.tokens SET expires = now() - interval '1 second' WHERE name = 'kim'");
    const auto refused = as(token, "GET", "/v1/whoami");
    EXPECT_EQ(refused.status, 401U);
    EXPECT_THAT(refused.text("error"), HasSubstr("has ended"));
    const auto fresh = post("administrator", "/v1/users/kim/tokens", "{}").text("token");
    EXPECT_EQ(as(fresh, "GET", "/v1/whoami").status, 200U);
}

TEST_F(Users, AreRevokedWithAllTokensOrWithOne) {
    const auto first = add("kim");
    const auto second = post("administrator", "/v1/users/kim/tokens", "{}");
    const auto number = second.number("number");
    EXPECT_EQ(as(first, "POST", "/v1/users/lee/revoke").status, 403U) << "somebody else's";
    ASSERT_EQ(as(first, "POST", "/v1/users/kim/revoke", fmt::format(R"({{"token":{}}})", number)).status, 200U);
    EXPECT_EQ(as(second.text("token"), "GET", "/v1/whoami").status, 401U);
    EXPECT_EQ(as(first, "GET", "/v1/whoami").status, 200U);
    EXPECT_EQ(post("approver", "/v1/users/kim/revoke", fmt::format(R"({{"token":{}}})", number)).status, 404U);
    EXPECT_EQ(post("approver", "/v1/users/kim/revoke", R"({"token":"x"})").status, 400U);

    ASSERT_EQ(post("approver", "/v1/users/kim/revoke").status, 200U);
    EXPECT_EQ(as(first, "GET", "/v1/whoami").status, 401U);
    EXPECT_EQ(post("approver", "/v1/users/kim/revoke").status, 404U);
    EXPECT_EQ(post("administrator", "/v1/users/kim/tokens", "{}").status, 404U);
    EXPECT_EQ(post("administrator", "/v1/users", R"({"user":"kim","roles":["auditor"]})").status, 409U)
        << "a name is one person's for ever";
    ASSERT_EQ(post("administrator", "/v1/users/kim/roles", R"({"roles":["auditor"]})").status, 200U) << "back again";
    EXPECT_EQ(as(first, "GET", "/v1/whoami").status, 401U) << "but not the old token";
}

TEST_F(Users, OfTokensDirKeepRoleAndToken) {
    for (const auto* what : {"roles", "tokens"}) {
        const auto refused =
            post("administrator", "/v1/users/operator/" + std::string{what}, R"({"roles":["approver"]})");
        EXPECT_EQ(refused.status, 409U) << what;
        EXPECT_THAT(refused.text("error"), HasSubstr("tokens_dir"));
    }
    const auto token = add("kim");
    db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); }); // a start
    EXPECT_EQ(as(token, "GET", "/v1/whoami").status, 200U) << "who stands in no file stays";
}

TEST_F(Users, AndTheirRightsAreOnRecord) {
    const auto token = add("kim", R"("roles":["operator"],"scope":["read"])");
    ASSERT_EQ(post("administrator", "/v1/users/kim/roles", R"({"roles":["operator","auditor"]})").status, 200U);
    ASSERT_EQ(as(token, "POST", "/v1/campaigns", "{}").status, 403U);
    ASSERT_EQ(post("approver", "/v1/users/kim/revoke").status, 200U);
    EXPECT_THAT(whats("kim"), ElementsAre("user_revoked", "denied", "roles_changed", "token_made", "user_added"));
    const auto changed = told("?user=kim").at(2).as_object();
    EXPECT_EQ(changed.at("user").as_string(), "administrator");
    EXPECT_EQ(changed.at("about").as_string(), "kim");
    EXPECT_EQ(changed.at("from").as_string(), "127.0.0.1");
    EXPECT_EQ(changed.at("text").as_string(), "from operator to operator, auditor");
    EXPECT_EQ(get("operator", "/v1/users/events").status, 403U);
    EXPECT_EQ(get("administrator", "/v1/users/events?limit=0").status, 400U);
    EXPECT_EQ(get("administrator", "/v1/users/events?user=" + std::string(101, '0')).status, 400U);
    const auto page = get("administrator", "/v1/users/events?limit=2").object();
    EXPECT_THAT(page.at("events").as_array(), SizeIs(2));
    EXPECT_FALSE(page.at("next").is_null());
}

TEST_F(Users, WhoAreTurnedAwayAreOnRecordAndAFloodIsCounted) {
    shared->refused_strangers = denial_record{{.burst = 2, .every = 1h}};
    for (int n = 0; n < 5; ++n) {
        ASSERT_EQ(get("stranger", "/v1/users").status, 401U);
    }
    ASSERT_EQ(get("operator", "/v1/users").status, 403U);
    std::vector<std::string> texts;
    for (const auto& one : told()) {
        if (one.as_object().at("what").as_string() == "denied") {
            texts.emplace_back(one.as_object().at("text").as_string());
        }
    }
    EXPECT_THAT(texts, ElementsAre("list_users: another role is needed", "list_users: unknown token",
                                   "list_users: unknown token"));
}

TEST_F(Users, WhoseRightsCannotBeNotedKeepThem) {
    as_owner("ALTER TABLE ledger.access_events RENAME TO away");
    EXPECT_EQ(post("administrator", "/v1/users", R"({"user":"kim","roles":["operator"]})").status, 503U);
    EXPECT_THAT(get("approver", "/v1/users").body, Not(HasSubstr("kim")));
    EXPECT_EQ(get("stranger", "/v1/users").status, 401U) << "a refusal is one all the same";
}

TEST_F(Users, OfFilesAreOnRecordWhenTheirTokensChange) {
    const auto adopt = [&] { db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); }); };
    adopt();
    EXPECT_THAT(whats("auditor"), IsEmpty()) << "nothing is new";
    write_token("approver", "another" + std::string(32, 'y'));
    fs::remove(config.tokens_dir / "operator");
    adopt();
    EXPECT_THAT(whats("approver"), ElementsAre("token_made"));
    EXPECT_THAT(whats("operator"), ElementsAre("user_revoked"));
}

} // namespace
} // namespace semel::api::test
