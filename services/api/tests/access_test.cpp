// Who may do what, and what the api says to those who may not.

#include "support.hpp"

namespace semel::api::test {
namespace {

using testing::HasSubstr;

TEST_F(Api, AsksForATokenThatItKnows) {
    const auto nobody = get("", "/v1/whoami");
    EXPECT_EQ(nobody.status, 401U);
    EXPECT_THAT(nobody.text("hint"), HasSubstr("tokens/USER"));
    EXPECT_EQ(get("stranger", "/v1/whoami").status, 401U);
    const auto me = get("auditor", "/v1/whoami");
    EXPECT_EQ(me.status, 200U);
    EXPECT_EQ(me.text("user"), "auditor");
    EXPECT_EQ(json::serialize(me.object().at("roles")), R"(["auditor"])");
    EXPECT_FALSE(me.object().at("read_only").as_bool());
}

TEST_F(Api, LetsNobodyWithoutATokenThroughOnAnyRoute) {
    const auto all = routes(*shared);
    for (const auto& [route, step] : all.steps()) {
        const auto space = route.find(' ');
        const auto answer = call(request("", route.substr(0, space), route.substr(space + 1)));
        EXPECT_EQ(answer.status, 401U) << route;
    }
}

TEST_F(Api, GivesEachRoleItsOwnSteps) {
    const auto id = create();
    const struct {
        const char* path;
        std::vector<std::string> allowed;
    } rules[] = {
        {"", {"operator", "product"}},
        {"/ID/uploads", {"operator"}},
        {"/ID/waves/1/drop", {"operator", "approver"}},
        {"/ID/test", {"operator"}},
        {"/ID/seal", {"operator"}},
        {"/ID/approve", {"approver"}},
        {"/ID/launch", {"operator"}},
        {"/ID/pause", {"operator", "approver"}},
        {"/ID/in-doubt", {"approver"}},
        {"/ID/resume", {"operator"}},
        {"/ID/cancel", {"operator", "approver"}},
    };
    for (const auto& rule : rules) {
        std::string target = std::string{"/v1/campaigns"} + rule.path;
        if (const auto at = target.find("ID"); at != std::string::npos) {
            target.replace(at, 2, id);
        }
        for (const std::string user : {"operator", "approver", "product", "auditor", "administrator"}) {
            if (std::ranges::find(rule.allowed, user) != rule.allowed.end()) {
                continue;
            }
            const auto answer = post(user, target);
            EXPECT_EQ(answer.status, 403U) << user << ' ' << target;
            EXPECT_THAT(answer.text("hint"), HasSubstr("--as " + rule.allowed.front())) << target;
        }
    }
    EXPECT_EQ(campaign(id).version(), 1U) << "nothing was changed";
}

TEST_F(Api, KeepsNoTokenOnlyItsHash) {
    db->run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        for (const auto& row : tx.exec("SELECT u::text FROM api.users u UNION ALL SELECT t::text FROM api.tokens t")) {
            EXPECT_THAT(row[0].as<std::string>(), testing::Not(HasSubstr("xxxxxxxx")));
        }
    });
}

TEST_F(Api, TakesANewTokenAndForgetsTheOld) {
    write_token("auditor", "another" + std::string(32, 'y'));
    db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); });
    EXPECT_EQ(get("auditor", "/v1/whoami").status, 401U);
}

TEST_F(Api, RevokesATokenWhoseFileIsGone) {
    ASSERT_EQ(get("auditor", "/v1/whoami").status, 200U);
    fs::remove(config.tokens_dir / "auditor");
    db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); });
    EXPECT_EQ(get("auditor", "/v1/whoami").status, 401U);
    EXPECT_EQ(get("operator", "/v1/whoami").status, 200U);
}

TEST_F(Api, RevokesATokenAtOnceAndForEver) {
    make_ledger(); // where it is noted
    EXPECT_EQ(post("operator", "/v1/users/approver/revoke").status, 403U);
    EXPECT_EQ(post("approver", "/v1/users/nobody/revoke").status, 404U);
    ASSERT_EQ(post("approver", "/v1/users/auditor/revoke").status, 200U);
    EXPECT_EQ(get("auditor", "/v1/whoami").status, 401U);
    EXPECT_EQ(post("approver", "/v1/users/auditor/revoke").status, 404U);
    const auto adopt = [&] { db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); }); };
    adopt(); // a restart finds the token's file still there
    EXPECT_EQ(get("auditor", "/v1/whoami").status, 401U);
    EXPECT_EQ(get("approver", "/v1/users").body.find("auditor"), std::string::npos);

    ASSERT_EQ(post("operator", "/v1/users/operator/revoke").status, 200U) << "one's own";
    EXPECT_EQ(get("operator", "/v1/whoami").status, 401U);
    write_token("auditor", "another" + std::string(32, 'y'));
    adopt();
    auto fresh = request("", "GET", "/v1/whoami");
    fresh.headers.emplace_back("Authorization", "Bearer another" + std::string(32, 'y'));
    EXPECT_EQ(call(std::move(fresh)).status, 200U);
    EXPECT_EQ(get("operator", "/v1/whoami").status, 401U);
}

TEST_F(Api, SlowsDownWhoIsTurnedAwayAndNobodyElse) {
    shared->turned_away = denials{{.free = 2, .every = 1h, .longest = 300ms}};
    const auto took = [&](const std::string& user, unsigned status) {
        const auto began = std::chrono::steady_clock::now();
        EXPECT_EQ(get(user, "/v1/users").status, status) << user;
        return std::chrono::steady_clock::now() - began;
    };
    took("stranger", 401);
    took("operator", 403);
    EXPECT_GE(took("stranger", 401), 300ms);
    took("", 401);
    EXPECT_GE(took("operator", 403), 300ms) << "another role is a refusal as well";
    EXPECT_EQ(shared->turned_away.remembered(), 1U);
    EXPECT_LT(took("approver", 200), 5s) << "from the same address";
}

TEST_F(Api, RefusesTokenFilesThatOthersMayUse) {
    const auto adopt = [&] { db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); }); };
    for (const unsigned mode : {0640U, 0604U, 0620U}) {
        write_token("operator", "fresh" + std::string(32, 'z'), mode);
        try {
            adopt();
            ADD_FAILURE() << "mode " << mode << " was let through";
        } catch (const std::runtime_error& e) {
            EXPECT_THAT(e.what(), HasSubstr("chmod 600"));
            EXPECT_THAT(e.what(), testing::Not(HasSubstr("zzzz")));
        }
    }
    EXPECT_EQ(get("operator", "/v1/whoami").status, 200U) << "the old token still holds";
    write_token("operator", "short");
    EXPECT_THROW(adopt(), std::runtime_error);
}

TEST_F(Api, SaysThatPostgresIsAwayAndComesBackWithIt) {
    ASSERT_EQ(get("operator", "/v1/whoami").status, 200U);
    const auto cut = [&] {
        administer(fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                               pqxx::connection{config.postgres_dsn}.dbname()));
    };
    cut();
    const auto broken = get("operator", "/v1/whoami");
    EXPECT_EQ(broken.status, 503U) << broken.body;
    EXPECT_THAT(broken.text("hint"), HasSubstr("try again"));
    EXPECT_EQ(get("operator", "/v1/whoami").status, 200U);
}

TEST_F(Api, NamesTheLedgerWhenItsTablesAreMissing) {
    const auto answer = get("operator", "/v1/campaigns/" + create() + "/report");
    EXPECT_EQ(answer.status, 503U);
    EXPECT_THAT(answer.text("error"), HasSubstr("ledger"));
}

} // namespace
} // namespace semel::api::test
