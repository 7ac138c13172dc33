// Signing on with a provider: what one browser brings back, which user comes of it, and what the session may do. The
// provider here is a strict one, made for this; a foreign one judges in foreign_provider_test.

#include "own_role.hpp"
#include "strict_provider.hpp"
#include "support.hpp"

#include <http/url.hpp>

#include <api/core/browser.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string old_auth_time() {
    const auto then = std::chrono::floor<std::chrono::seconds>(base::now() - 6min);
    return std::to_string(then.time_since_epoch().count());
}

class SignOns : public Api {
  protected:
    void SetUp() override {
        login.emplace(io);
        config.sign_on = config::sign_on{.issuer = login->issuer(),
                                         .ca = {},
                                         .client_id = "semel",
                                         .client_secret_file = {},
                                         .own_address = "https://semel.example.com",
                                         .claim = "groups",
                                         .roles = {{"ops", {"operator"}}, {"leads", {"approver", "auditor"}}}};
        Api::SetUp();
        db->run_blocking(make_all_tables);
        steps.emplace(as_own_role(config.postgres_dsn), 2);
        std::ofstream{folder / "secret"} << "the-secret\n";
        config.sign_on->client_secret_file = folder / "secret";
        shared->sign_on_patience = {.after_a_failure = 0s};
    }
    void TearDown() override {
        play([this]() -> asio::awaitable<void> { return stop_login(); });
        login.reset();
        Api::TearDown();
    }
    asio::awaitable<void> stop_login() { co_await login->stop(); }

    /// Follows no redirect.
    http::client_response ask(http::client_request r) {
        std::optional<http::client_response> got;
        play([&]() -> asio::awaitable<void> { return ask_into(std::move(r), got); });
        return std::move(*got);
    }
    asio::awaitable<void> ask_into(http::client_request r, std::optional<http::client_response>& into) {
        http::client client{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", server->port())}};
        auto answer = co_await client.send(std::move(r));
        if (!answer) {
            throw std::runtime_error{answer.error().why()};
        }
        into = std::move(*answer);
    }
    static std::vector<std::string> cookies_set_by(const http::client_response& r) {
        std::vector<std::string> out;
        for (const auto& [name, value] : r.headers) {
            if (name == "Set-Cookie") {
                out.push_back(value);
            }
        }
        return out;
    }
    /// "name=value" of the one whose name is so.
    static std::string cookie_in(const http::client_response& r, const std::string& name) {
        for (const auto& one : cookies_set_by(r)) {
            if (one.starts_with(name + "=")) {
                return one.substr(0, one.find(';'));
            }
        }
        return {};
    }
    static http::client_request with_cookie(const std::string& method, std::string target, const std::string& cookie) {
        auto r = request("", method, std::move(target));
        if (!cookie.empty()) {
            r.headers.emplace_back("Cookie", cookie);
        }
        return r;
    }

    struct begun {
        std::string cookie;
        words asked;
        std::string location;
    };
    begun begin(const std::string& target = "/v1/sign-on", const std::string& session = {}) {
        const auto got = ask(with_cookie("GET", target, session));
        EXPECT_EQ(got.status, 303U) << got.body;
        const std::string location{got.header("location")};
        return {.cookie = cookie_in(got, "semel-18080-sign-on"),
                .asked = http::parse_query(location.substr(location.find('?') + 1)).value_or(words{}),
                .location = location};
    }
    http::client_response come_back(const std::string& cookie, const std::string& state, const std::string& code,
                                    const std::string& more = {}) {
        return ask(with_cookie("GET",
                               "/v1/sign-on/back?state=" + http::percent_encode(state) +
                                   "&code=" + http::percent_encode(code) + more,
                               cookie));
    }
    http::client_response finish(const begun& b, const words& claims = {}) {
        const auto code = login->grant(b.asked, claims);
        return come_back(b.cookie, b.asked.at("state"), code);
    }
    http::client_response try_with(const words& claims) { return finish(begin(), claims); }
    /// The cookie of the session.
    std::string sign_on(const words& claims = {}, const std::string& target = "/v1/sign-on",
                        const std::string& before = {}) {
        const auto got = finish(begin(target, before), claims);
        EXPECT_EQ(got.status, 303U) << got.body;
        EXPECT_EQ(got.header("location"), "/");
        return cookie_in(got, "semel-18080");
    }
    http::client_response as(const std::string& cookie, const std::string& method, const std::string& target,
                             std::string body = {}) {
        auto r = with_cookie(method, target, cookie);
        const auto secret = cookie.substr(cookie.find('=') + 1);
        r.headers.emplace_back("Origin", fmt::format("http://127.0.0.1:{}", server->port()));
        r.headers.emplace_back("Semel-Guard", browser::guard_of(secret));
        r.body = std::move(body);
        return ask(std::move(r));
    }
    static std::string text_in(const http::client_response& r, std::string_view key) {
        return answered{.status = r.status, .body = r.body}.text(key);
    }
    std::vector<std::string> told() {
        std::vector<std::string> out;
        for (const auto& one : get("auditor", "/v1/users/events").object().at("events").as_array()) {
            const auto& e = one.as_object();
            const auto word = [&](const char* key) {
                return e.at(key).is_string() ? std::string{e.at(key).as_string()} : std::string{"-"};
            };
            out.push_back(word("what") + " " + word("user") + " " + word("about") + ": " + word("text"));
        }
        return out;
    }

    std::optional<strict_provider> login;
};

TEST_F(SignOns, GiveABrowserASessionOfItsOwn) {
    const auto b = begin();
    EXPECT_THAT(b.location, StartsWith(login->issuer() + "/auth?"));
    EXPECT_EQ(b.asked.at("redirect_uri"), "https://semel.example.com/v1/sign-on/back");
    EXPECT_EQ(b.asked.at("code_challenge_method"), "S256");
    EXPECT_FALSE(b.asked.contains("max_age"));
    const auto got = finish(b);
    ASSERT_EQ(got.status, 303U) << got.body;
    EXPECT_EQ(got.header("location"), "/");
    EXPECT_THAT(cookies_set_by(got),
                ElementsAre(AllOf(StartsWith("semel-18080="), HasSubstr("HttpOnly; SameSite=Strict")),
                            AllOf(StartsWith("semel-18080-sign-on=;"), HasSubstr("Max-Age=0"))));
    const auto session = as(cookie_in(got, "semel-18080"), "GET", "/v1/session");
    EXPECT_EQ(text_in(session, "user"), "kim");
    EXPECT_THAT(session.body, HasSubstr(R"("roles":["operator"])"));
    EXPECT_EQ(as(cookie_in(got, "semel-18080"), "POST", "/v1/campaigns", json::serialize(new_campaign())).status, 201U);
}

TEST_F(SignOns, AreForTheBrowserThatBegan) {
    const auto mine = begin(), theirs = begin();
    const auto code = login->grant(mine.asked, {});
    EXPECT_EQ(come_back(theirs.cookie, mine.asked.at("state"), code).status, 401U) << "another browser";
    EXPECT_EQ(come_back("", mine.asked.at("state"), code).status, 401U) << "without the cookie";
    EXPECT_EQ(come_back(mine.cookie, "forged", code).status, 401U);
    EXPECT_EQ(come_back(mine.cookie, "", code).status, 401U);
    EXPECT_EQ(come_back(mine.cookie + "x", mine.asked.at("state"), code).status, 401U);
    const auto good = come_back(mine.cookie, mine.asked.at("state"), code);
    EXPECT_EQ(good.status, 303U) << "and the code was used up by none of these: " << good.body;
    EXPECT_EQ(come_back(mine.cookie, mine.asked.at("state"), code).status, 401U) << "once";
}

// Somebody puts a code of their own into another's browser: the verifier does not fit.
TEST_F(SignOns, TakeNoCodeOfAnotherSignOn) {
    const auto mine = begin(), theirs = begin();
    const auto code = login->grant(theirs.asked, {});
    const auto got = come_back(mine.cookie, mine.asked.at("state"), code);
    EXPECT_EQ(got.status, 401U);
    EXPECT_THAT(text_in(got, "error"), HasSubstr("invalid_grant"));
}

TEST_F(SignOns, BelieveOnlyWhatTheProviderSignedForThisSignOn) {
    for (const auto& bent :
         {words{{"nonce", R"("another")"}}, words{{"aud", R"("another")"}}, words{{"iss", R"("https://evil.example")"}},
          words{{"exp", "1000"}}, words{{"sub", ""}}, words{{"azp", R"("another")"}}}) {
        const auto got = try_with(bent);
        EXPECT_EQ(got.status, 401U) << bent.begin()->first;
        EXPECT_THAT(cookies_set_by(got), ElementsAre(StartsWith("semel-18080-sign-on=;")));
    }
    login->alg = "none";
    EXPECT_EQ(try_with({}).status, 401U);
    login->alg = "ES256";
    login->published = R"({"keys":[)" + token_maker::ec().jwk("first") + "]}";
    shared->sign_on_patience.kept = 0s;
    EXPECT_EQ(try_with({}).status, 401U) << "another's key under that name";
    EXPECT_THAT(get("auditor", "/v1/users").body, Not(HasSubstr("kim")));
}

TEST_F(SignOns, LookForAKeyThatIsNewOnceAMinute) {
    sign_on();
    EXPECT_EQ(login->keys_read, 1);
    sign_on();
    EXPECT_EQ(login->keys_read, 1) << "it is known";
    login->change_key("second");
    EXPECT_EQ(try_with({}).status, 401U);
    EXPECT_EQ(login->keys_read, 1) << "read less than a minute ago";
    shared->sign_on_patience.between_keys = 0s;
    sign_on();
    EXPECT_EQ(login->keys_read, 2);
    sign_on();
    EXPECT_EQ(login->keys_read, 2);
}

TEST_F(SignOns, SayThatTheProviderIsAway) {
    const auto b = begin();
    login->away = true;
    shared->sign_on_patience.kept = 0s;
    EXPECT_EQ(finish(b).status, 503U);
    EXPECT_EQ(get("", "/v1/sign-on").status, 503U);
    EXPECT_THAT(told(), IsEmpty()) << "nobody's guess";
    login->away = false;
    sign_on();
}

TEST_F(SignOns, TellABrowserInAWordAndLeadNowhereElse) {
    auto r = with_cookie("GET", "/v1/sign-on/back?state=x&code=y&redirect_uri=https://evil.example", "");
    r.headers.emplace_back("Accept", "text/html,application/xhtml+xml");
    const auto got = ask(std::move(r));
    EXPECT_EQ(got.status, 303U);
    EXPECT_EQ(got.header("location"), "/#sign-on=elsewhere");
    const auto good = begin();
    const auto code = login->grant(good.asked, {});
    EXPECT_EQ(come_back(good.cookie, good.asked.at("state"), code, "&next=https://evil.example").header("location"),
              "/");
    const auto cancelled = begin();
    EXPECT_EQ(ask(with_cookie("GET", "/v1/sign-on/back?error=access_denied&state=" + cancelled.asked.at("state"),
                              cancelled.cookie))
                  .status,
              401U);
    auto from_elsewhere = with_cookie("GET", "/v1/sign-on", "");
    from_elsewhere.headers.emplace_back("Sec-Fetch-Site", "cross-site");
    const auto led = ask(std::move(from_elsewhere));
    EXPECT_EQ(led.header("location"), "/");
    EXPECT_THAT(cookies_set_by(led), IsEmpty());
}

TEST_F(SignOns, GiveTheRolesOfTheGroups) {
    EXPECT_EQ(try_with({{"groups", R"(["others"])"}}).status, 403U);
    EXPECT_EQ(try_with({{"groups", ""}}).status, 403U);
    EXPECT_THAT(get("auditor", "/v1/users").body, Not(HasSubstr("kim"))) << "nobody is kept who may nothing";
    const auto first = sign_on({{"groups", R"(["leads","ops","others"])"}});
    EXPECT_THAT(as(first, "GET", "/v1/session").body, HasSubstr(R"("roles":["operator","approver","auditor"])"));
    sign_on({{"groups", R"("ops")"}});
    EXPECT_EQ(as(first, "GET", "/v1/lookups").status, 403U) << "the other session loses it, too";
    EXPECT_EQ(try_with({{"groups", "[]"}}).status, 403U);
    EXPECT_EQ(as(first, "GET", "/v1/whoami").status, 403U) << "and keeps nothing";
}

TEST_F(SignOns, KnowAPersonByTheSubjectAndKeepTheFirstName) {
    EXPECT_EQ(text_in(as(sign_on({{"preferred_username", R"("Kim")"}}), "GET", "/v1/session"), "user"), "kim");
    EXPECT_EQ(text_in(as(sign_on({{"preferred_username", R"("lee")"}}), "GET", "/v1/session"), "user"), "kim");
    EXPECT_EQ(text_in(as(sign_on({{"preferred_username", ""}}), "GET", "/v1/session"), "user"), "kim");
    const auto other = try_with({{"sub", R"("another-subject")"}});
    EXPECT_EQ(other.status, 403U) << "the name is kim's for ever";
    EXPECT_THAT(text_in(other, "error"), HasSubstr("another user's name"));
    EXPECT_EQ(try_with({{"sub", R"("third")"}, {"preferred_username", R"("operator")"}}).status, 403U);
    EXPECT_EQ(try_with({{"sub", R"("third")"}, {"preferred_username", ""}}).status, 403U);
}

TEST_F(SignOns, TakeNoNameOfAUserWhoWasMadeHereAndLeaveNone) {
    ASSERT_EQ(post("administrator", "/v1/users", R"({"user":"kim","roles":["auditor"]})").status, 201U);
    EXPECT_EQ(try_with({}).status, 403U);
    ASSERT_EQ(post("administrator", "/v1/users/kim/revoke").status, 200U);
    EXPECT_EQ(try_with({}).status, 403U) << "nor of one who was";
    sign_on({{"preferred_username", R"("lee@example.com")"}});
    EXPECT_EQ(post("administrator", "/v1/users", R"({"user":"lee@example.com","roles":["auditor"]})").status, 409U);
    EXPECT_THAT(told().at(1), HasSubstr("user_added - lee@example.com"));
}

TEST_F(SignOns, EndWithTheUsersRights) {
    const auto session = sign_on();
    ASSERT_EQ(as(session, "GET", "/v1/whoami").status, 200U);
    ASSERT_EQ(post("approver", "/v1/users/kim/revoke").status, 200U);
    EXPECT_EQ(as(session, "GET", "/v1/whoami").status, 401U);
    EXPECT_EQ(try_with({}).status, 403U) << "the provider still knows kim";
    ASSERT_EQ(post("administrator", "/v1/users/kim/roles", R"({"roles":["operator"]})").status, 200U);
    const auto again = sign_on();
    config.sign_on->issuer = "https://another.example";
    EXPECT_EQ(as(again, "GET", "/v1/whoami").status, 401U) << "of a provider that is no longer the one";
}

TEST_F(SignOns, LeaveRolesToTheProviderAndMakeNoTokens) {
    sign_on();
    const auto roles = post("administrator", "/v1/users/kim/roles", R"({"roles":["administrator"]})");
    EXPECT_EQ(roles.status, 409U);
    EXPECT_THAT(roles.text("hint"), HasSubstr("api.sign_on.roles"));
    EXPECT_EQ(post("administrator", "/v1/users/kim/tokens", "{}").status, 409U);
    EXPECT_EQ(as(sign_on(), "POST", "/v1/session-codes").status, 403U);
    EXPECT_THAT(get("auditor", "/v1/users").body, HasSubstr(R"("sign_on":true)"));
}

TEST_F(SignOns, AreMadeAnewForWhatAnUnattendedDeskMustNotDo) {
    const auto id = create_registered();
    const words lead{{"groups", R"(["leads"])"}, {"auth_time", old_auth_time()}};
    for (const auto& claims : {lead, words{{"groups", R"(["leads"])"}, {"auth_time", ""}}}) {
        const auto old = sign_on(claims);
        for (const auto* target : {"/approve", "/in-doubt", "/audit"}) {
            const auto refused = as(old, "POST", "/v1/campaigns/" + id + target, "{}");
            EXPECT_EQ(refused.status, 403U) << target << refused.body;
            EXPECT_EQ(text_in(refused, "sign_on"), "/v1/sign-on?fresh=yes") << target;
        }
        EXPECT_EQ(as(old, "POST", "/v1/campaigns/" + id + "/pause", "{}").status, 409U)
            << "an emergency waits for nobody";
        EXPECT_EQ(as(old, "GET", "/v1/campaigns/" + id + "/approval").status, 200U);
    }
    const auto old = sign_on(lead);
    const auto anew = begin("/v1/sign-on?fresh=yes", old);
    EXPECT_EQ(anew.asked.at("max_age"), "0");
    EXPECT_EQ(finish(anew, lead).status, 401U) << "the provider did not ask the person again";
    EXPECT_EQ(finish(begin("/v1/sign-on?fresh=yes", old), {{"groups", R"(["leads"])"}, {"auth_time", ""}}).status,
              401U);
    const auto fresh = sign_on({{"groups", R"(["leads"])"}}, "/v1/sign-on?fresh=yes", old);
    EXPECT_EQ(
        as(fresh, "POST", "/v1/campaigns/" + id + "/approve", json::serialize(json::object{{"seen", seen(id)}})).status,
        200U);
    EXPECT_EQ(as(old, "GET", "/v1/whoami").status, 401U) << "the session before has ended";
}

TEST_F(SignOns, DoNotMakeASessionOfACodeOld) {
    const auto code = post("auditor", "/v1/session-codes");
    ASSERT_EQ(code.status, 201U);
    auto r = request("", "POST", "/v1/session", json::serialize(json::object{{"code", code.text("code")}}));
    r.headers.emplace_back("Origin", fmt::format("http://127.0.0.1:{}", server->port()));
    const auto got = ask(std::move(r));
    ASSERT_EQ(got.status, 200U) << got.body;
    const auto looked =
        as(cookie_in(got, "semel-18080"), "POST", "/v1/campaigns/" + create() + "/audit", R"({"recipient_id":"1"})");
    EXPECT_NE(looked.status, 403U) << looked.body;
}

TEST_F(SignOns, AreInTheRecordOfRights) {
    const auto session = sign_on();
    EXPECT_EQ(as(session, "DELETE", "/v1/session").status, 200U);
    EXPECT_EQ(try_with({{"groups", R"(["leads"])"}}).status, 303U);
    EXPECT_EQ(try_with({{"groups", "[]"}}).status, 403U);
    EXPECT_EQ(try_with({{"nonce", R"("another")"}}).status, 401U);
    EXPECT_EQ(try_with({{"sub", R"("another")"}}).status, 403U);
    auto all = told();
    std::ranges::reverse(all);
    EXPECT_THAT(all, ElementsAre("user_added - kim: by sign-on; roles: operator",
                                 "signed_in kim -: by sign-on; roles: operator", "signed_out kim -: ",
                                 "roles_changed - kim: by sign-on: from operator to approver, auditor",
                                 "signed_in kim -: by sign-on; roles: approver, auditor",
                                 "roles_changed - kim: by sign-on: from approver, auditor to none",
                                 StartsWith("denied kim -: sign_in: sign-on: none of the person's groups"),
                                 StartsWith("denied - -: sign_in: sign-on: the ID token is not of this sign-in"),
                                 StartsWith("denied - -: sign_in: sign-on: kim is another user's name")))
        << "whom a name belongs to is not who was refused";
}

TEST_F(SignOns, KeepNoSecretAndNothingOfWhoNeverCameBack) {
    const auto b = begin();
    const auto session = sign_on();
    const auto rows = db->run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        std::string all;
        for (const auto& row :
             tx.exec("SELECT s::text FROM api.sessions s UNION ALL SELECT u::text FROM api.users u")) {
            all += row[0].as<std::string>() + "\n";
        }
        return all;
    });
    const auto secret = session.substr(session.find('=') + 1);
    EXPECT_THAT(rows, AllOf(Not(HasSubstr(secret)), Not(HasSubstr(base::to_hex(secret)))));
    EXPECT_THAT(rows, Not(HasSubstr(b.asked.at("state"))));
}

TEST_F(SignOns, AreListedAndEndedAsSessions) {
    const auto lost = sign_on(), here = sign_on();
    const auto all = as(here, "GET", "/v1/sessions");
    const auto sessions = json::read(all.body)->at("sessions").as_array();
    ASSERT_EQ(sessions.size(), 2U) << all.body;
    EXPECT_EQ(sessions[0].at("how").as_string(), "sign_on");
    EXPECT_TRUE(sessions[0].at("token").is_null());
    EXPECT_TRUE(sessions[0].at("current").as_bool());
    const auto target = fmt::format("/v1/sessions/{}", sessions[1].at("number").to_number<std::int64_t>());
    EXPECT_EQ(as(here, "DELETE", target).status, 200U);
    EXPECT_EQ(as(lost, "GET", "/v1/whoami").status, 401U);
    EXPECT_EQ(as(here, "GET", "/v1/whoami").status, 200U);
    EXPECT_EQ(get("operator", "/v1/sessions?user=kim").status, 403U);
    EXPECT_THAT(get("administrator", "/v1/sessions?user=kim").body, HasSubstr(R"("user":"kim")"));
    ASSERT_EQ(post("administrator", "/v1/users/kim/revoke").status, 200U);
    EXPECT_THAT(get("administrator", "/v1/sessions?user=kim").body, Not(HasSubstr("kim"))) << "it ended with its user";
}

TEST_F(SignOns, AreOfferedWhereThereIsAProvider) {
    EXPECT_EQ(get("", "/v1/session").text("sign_on"), "/v1/sign-on");
    EXPECT_EQ(text_in(as("semel-18080=over", "GET", "/v1/session"), "sign_on"), "/v1/sign-on");
}

TEST_F(Api, OffersNoSignOnWithoutAProvider) {
    EXPECT_EQ(get("", "/v1/session").text("sign_on"), "");
    EXPECT_EQ(get("", "/v1/sign-on").status, 404U);
    EXPECT_EQ(get("", "/v1/sign-on/back?state=a&code=b").status, 404U);
}

TEST_F(Api, DoesNotBeginWithAGroupThatHasARoleThatIsNone) {
    config.sign_on = config::sign_on{.issuer = "https://login.example.com",
                                     .ca = {},
                                     .client_id = "semel",
                                     .client_secret_file = {},
                                     .own_address = "https://semel.example.com",
                                     .claim = "groups",
                                     .roles = {{"ops", {"root"}}}};
    try {
        static_cast<void>(routes(*shared));
        ADD_FAILURE() << "a group with the role root";
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("api.sign_on.roles.ops"), HasSubstr("operator")));
    }
    config.sign_on.reset();
}

} // namespace
} // namespace semel::api::test
