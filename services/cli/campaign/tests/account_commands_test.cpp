// Commands about people who use Semel: who may do what, and who looked at whom.

#include "made_up_api.hpp"

namespace semel::cli::campaign::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(Commands, WhoLooksAtPeopleSaysWhy) {
    api.on("POST", "/v1/campaigns/{id}/audit", {{200, R"({"recipient_id":"4711","events":[],"messages":[]})"}})
        .on("GET", "/v1/campaigns/{id}/unreached", {{200, "recipient_id,name,why\r\n"}})
        .on("GET", "/v1/campaigns/{id}/in-doubt", {{200, "[]"}})
        .start();
    const std::vector<std::string> why{"--reason", "편지 100%", "--case", "C-17"};
    const auto with_why = [&](std::vector<std::string> words) {
        words.insert(words.end(), why.begin(), why.end());
        return semel(std::move(words)).exit_code;
    };
    EXPECT_EQ(with_why({"audit", "show", "c-1", "--recipient", "4711"}), 0);
    EXPECT_EQ(with_why({"campaign", "report", "c-1", "--unreached", "-"}), 0);
    EXPECT_EQ(with_why({"in-doubt", "list", "c-1"}), 0);
    const auto asked = api.stop();
    EXPECT_EQ(asked.at(0).body, R"({"recipient_id":"4711","reason":"편지 100%","case":"C-17"})");
    for (const auto& one : {asked.at(1), asked.at(2)}) {
        EXPECT_EQ(one.reason, "%ED%8E%B8%EC%A7%80%20100%25") << one.what;
        EXPECT_EQ(one.case_number, "C-17");
    }
}

TEST_F(Commands, LookupsAreListedAndThePersonIsInNoUrl) {
    const std::string page =
        R"({"lookups":[{"number":7,"time":"2026-11-26T20:03:14.366359Z","user":"kim","from":"10.0.0.7","what":"story",
            "campaign":"c-1","recipient":"0123456789abcdef","people":1,"reason":"she asks","case":"C-17"}],"next":7})";
    api.on("GET", "/v1/lookups", {{200, page}, {200, R"({"lookups":[],"next":null})"}})
        .on("POST", "/v1/campaigns/{id}/lookups", {{200, page}})
        .start();
    const auto r = semel({"audit", "lookups", "--user", "k&m"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.out, AllOf(HasSubstr("kim"), HasSubstr("10.0.0.7"), HasSubstr("0123456789ab "), HasSubstr("she asks"),
                             HasSubstr("earlier ones: --before 7")));
    EXPECT_EQ(semel({"audit", "lookups", "c-1"}).out, "nobody looked\n");
    EXPECT_EQ(semel({"audit", "lookups", "c-1", "--recipient", "4711", "--before", "9", "--json"}).exit_code, 0);
    EXPECT_EQ(semel({"audit", "lookups", "--recipient", "4711"}).exit_code, 2) << "of which campaign?";
    const auto asked = api.stop();
    EXPECT_EQ(asked.at(0).query, "limit=100&user=k&m") << "as the server read it";
    EXPECT_EQ(asked.at(1).query, "campaign=c-1&limit=100");
    EXPECT_EQ(asked.at(2).query, "before=9&limit=100");
    EXPECT_EQ(asked.at(2).body, R"({"recipient_id":"4711"})");
}

TEST_F(Commands, ANewUsersTokenIsAloneOnStandardOutput) {
    api.on("POST", "/v1/users",
           {{201, R"({"user":"kim","number":7,"token":"semel_00ff","expires":"2027-01-01T00:00:00Z","roles":[]})"}})
        .on("POST", "/v1/users/{user}/tokens",
            {{201, R"({"user":"kim","number":8,"token":"semel_11ee","expires":"2027-01-01T00:00:00Z"})"}})
        .start();
    const auto r = semel({"users", "add", "kim", "--roles", "operator,auditor", "--days", "30"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "semel_00ff\n");
    EXPECT_THAT(r.err, AllOf(HasSubstr("shown only now"), HasSubstr("token 7"), testing::Not(HasSubstr("00ff"))));
    EXPECT_EQ(semel({"users", "token", "kim", "--scope", "read"}).out, "semel_11ee\n");
    EXPECT_EQ(semel({"users", "add", "kim"}).exit_code, 2) << "without roles";
    const auto asked = api.stop();
    EXPECT_EQ(asked.at(0).body, R"({"user":"kim","roles":["operator","auditor"],"days":30})");
    EXPECT_EQ(asked.at(1).what, "POST /v1/users/kim/tokens");
    EXPECT_EQ(asked.at(1).body, R"({"scope":["read"]})");
}

TEST_F(Commands, UsersAreGivenRolesListedAndRevoked) {
    api.on("GET", "/v1/users",
           {{200, R"([{"user":"kim","roles":["operator","auditor"],"tokens":[{"number":7,"scope":["read"],
                      "made_by":"lee","expires":"2027-01-01T00:00:00Z"},{"number":8,"scope":[],"made_by":"lee",
                      "expires":null}]},{"user":"lee","roles":["administrator"],"tokens":[]}])"}})
        .on("POST", "/v1/users/{user}/roles", {{200, R"({"user":"kim","roles":["approver"]})"}})
        .on("POST", "/v1/users/{user}/revoke", {{200, R"({"user":"kim","revoked":true,"token":null})"}})
        .on("GET", "/v1/users/events",
            {{200, R"({"events":[{"time":"t","user":"lee","from":null,"what":"user_added","about":"kim",
                      "text":"roles: operator","times":1}],"next":3})"}})
        .start();
    EXPECT_THAT(semel({"users", "list"}).out,
                testing::ContainsRegex("kim +operator, auditor +7 +read +2027-01-01T00:00:00Z +lee\n +8 +all +- +lee\n"
                                       "lee +administrator +-\n"));
    EXPECT_THAT(semel({"users", "roles", "kim", "approver"}).out, HasSubstr("kim has the roles approver"));
    EXPECT_THAT(semel({"users", "revoke", "kim"}).out, HasSubstr("no token of kim"));
    EXPECT_THAT(semel({"users", "revoke", "kim", "--token", "7"}).out, HasSubstr("token 7 of kim is known no more"));
    EXPECT_THAT(semel({"users", "history", "--user", "kim"}).out,
                AllOf(HasSubstr("user_added"), HasSubstr("earlier ones: --before 3")));
    const auto asked = api.stop();
    EXPECT_EQ(asked.at(1).body, R"({"roles":["approver"]})");
    EXPECT_EQ(asked.at(2).body, "");
    EXPECT_EQ(asked.at(3).body, R"({"token":7})");
    EXPECT_EQ(asked.at(4).query, "limit=100&user=kim");
}

TEST_F(Commands, DecisionsAreListedForOnesOwnNameOrOthers) {
    api.on("GET", "/v1/decisions",
           {{200, R"({"decisions":[{"number":7,"time":"2026-11-26T20:03:14.366359Z","user":"kim","campaign":"c-1",
                      "name":"Renewed notice","what":"resend","text":"","messages":1204},{"number":5,"time":"t",
                      "user":"kim","campaign":"c-1","name":"Renewed notice","what":"approve","text":"waves 1, 2",
                      "messages":null}],"next":5})"},
            {200, R"({"decisions":[],"next":null})"}})
        .start();
    const auto r = semel({"audit", "decisions"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.out, testing::ContainsRegex("kim +resend +c-1 +Renewed notice +1,204\n"));
    EXPECT_THAT(r.out, AllOf(HasSubstr("waves 1, 2"), HasSubstr("earlier ones: --before 5")));
    EXPECT_EQ(semel({"audit", "decisions", "--everybody", "--before", "5"}).out, "nothing was decided\n");
    EXPECT_EQ(semel({"audit", "decisions", "--user", "kim"}).exit_code, 0);
    EXPECT_EQ(semel({"audit", "decisions", "--user", "kim", "--everybody"}).exit_code, 2);
    const auto asked = api.stop();
    EXPECT_EQ(asked.at(0).query, "limit=100");
    EXPECT_EQ(asked.at(1).query, "before=5&everybody=yes&limit=100");
    EXPECT_EQ(asked.at(2).query, "limit=100&user=kim");
}

TEST_F(Commands, BrowsersSessionsAreListedAndEnded) {
    const std::string page =
        R"({"sessions":[{"number":8,"user":"kim","how":"sign_on","token":null,"opened":"2026-11-30T08:00:00Z",
            "seen":"2026-11-30T09:00:00Z","ends":"2026-11-30T09:30:00Z","from":"10.0.0.7","seen_from":"192.0.2.9",
            "current":false},{"number":7,"user":"lee","how":"code","token":3,"opened":"2026-11-30T07:00:00Z",
            "seen":"2026-11-30T07:00:00Z","ends":"2026-11-30T07:30:00Z","from":null,"seen_from":null,
            "current":false}],"next":7})";
    api.on("GET", "/v1/sessions", {{200, page}, {200, R"({"sessions":[],"next":null})"}})
        .on("DELETE", "/v1/sessions/{session}",
            {{200, R"({"session":8,"user":"kim","ended":true})"}, {404, R"({"error":"there is no such session"})"}})
        .start();
    const auto r = semel({"sessions", "list", "--everybody"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.out, testing::ContainsRegex("8 +kim +sign-on +2026-11-30T08:00:00Z +10.0.0.7 +2026-11-30T09:00:00Z "
                                              "+192.0.2.9 +2026-11-30T09:30:00Z\n +7 +lee +token 3 "));
    EXPECT_THAT(r.out, HasSubstr("earlier ones: --before 7"));
    EXPECT_EQ(semel({"sessions", "list", "--user", "k&m", "--before", "9"}).out, "nobody is signed in\n");
    EXPECT_EQ(semel({"sessions", "list"}).exit_code, 0);
    EXPECT_EQ(semel({"sessions", "list", "--user", "kim", "--everybody"}).exit_code, 2) << "whose, then?";
    EXPECT_EQ(semel({"sessions", "end"}).exit_code, 2) << "which?";
    EXPECT_THAT(semel({"sessions", "end", "8"}).out, HasSubstr("session 8 of kim is over"));
    const auto gone = semel({"sessions", "end", "8"});
    EXPECT_EQ(gone.exit_code, 1);
    EXPECT_THAT(gone.err, HasSubstr("no such session"));
    const auto asked = api.stop();
    ASSERT_EQ(asked.size(), 5U);
    EXPECT_EQ(asked.at(0).query, "everybody=yes&limit=100");
    EXPECT_EQ(asked.at(1).query, "before=9&limit=100&user=k&m");
    EXPECT_EQ(asked.at(2).query, "limit=100") << "one's own";
    EXPECT_EQ(asked.at(3).what, "DELETE /v1/sessions/8");
}

} // namespace
} // namespace semel::cli::campaign::test
