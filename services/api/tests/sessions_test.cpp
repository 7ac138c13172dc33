// Browsers: a code that is used once, a cookie that only the console's own page can make use of.

#include "support.hpp"

#include <api/core/browser.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// A browser that has the console open.
class Sessions : public Api {
  protected:
    struct browser {
        std::string cookie, guard;
    };
    std::string host() const { return fmt::format("127.0.0.1:{}", server->port()); }
    /// As the console's own page asks, or as a page of `origin`.
    http::client_request from_page(const std::string& method, std::string target, const browser& b,
                                   std::string origin = {}) const {
        auto r = request("", method, std::move(target));
        r.headers.emplace_back("Origin", origin.empty() ? "http://" + host() : origin);
        r.headers.emplace_back("Sec-Fetch-Site", origin.empty() ? "same-origin" : "cross-site");
        if (!b.cookie.empty()) {
            r.headers.emplace_back("Cookie", b.cookie);
        }
        if (!b.guard.empty()) {
            r.headers.emplace_back("Semel-Guard", b.guard);
        }
        return r;
    }
    std::string code(const std::string& user) { return code_for(token_of(user)); }
    std::string code_for(const std::string& token) {
        auto r = request("", "POST", "/v1/session-codes");
        r.headers.emplace_back("Authorization", "Bearer " + token);
        const auto made = call(std::move(r));
        EXPECT_EQ(made.status, 201U) << made.body;
        return made.text("code");
    }
    /// A person with a name, and their token.
    std::string add(const std::string& name, const std::string& rest) {
        const auto made = post("administrator", "/v1/users", R"({"user":")" + name + "\"," + rest + "}");
        EXPECT_EQ(made.status, 201U) << made.body;
        return made.text("token");
    }
    http::client_request signing_in(const std::string& code, const browser& before = {}, std::string origin = {}) {
        auto r = from_page("POST", "/v1/session", before, std::move(origin));
        r.body = json::serialize(json::object{{"code", code}});
        return r;
    }
    /// The whole answer, with its headers.
    http::client_response ask(http::client_request r) {
        std::optional<http::client_response> got;
        play([&]() -> asio::awaitable<void> { return ask(std::move(r), got); });
        return std::move(*got);
    }
    asio::awaitable<void> ask(http::client_request r, std::optional<http::client_response>& into) {
        http::client client{io.get_executor(), {.base = "http://" + host()}};
        auto answer = co_await client.send(std::move(r));
        if (!answer) {
            throw std::runtime_error{answer.error().why()};
        }
        into = std::move(*answer);
    }
    browser sign_in(const std::string& user, const browser& before = {}) { return with_code(code(user), before); }
    browser with_code(const std::string& given, const browser& before = {}) {
        const auto got = ask(signing_in(given, before));
        EXPECT_EQ(got.status, 200U) << got.body;
        const auto set = std::string{got.header("set-cookie")};
        EXPECT_THAT(set, AllOf(StartsWith("semel-"), HasSubstr("HttpOnly"), HasSubstr("SameSite=Strict")));
        return {.cookie = set.substr(0, set.find(';')), .guard = text_in(got, "guard")};
    }
    static std::string text_in(const http::client_response& r, std::string_view key) {
        return answered{.status = r.status, .body = r.body}.text(key);
    }
    unsigned status_of(http::client_request r) { return ask(std::move(r)).status; }
    /// As a token lists them; `query` begins with '?'.
    json::array listed(const std::string& user, const std::string& query = {}) {
        const auto got = get(user, "/v1/sessions" + query);
        EXPECT_EQ(got.status, 200U) << got.body;
        return got.status == 200 ? got.object().at("sessions").as_array() : json::array{};
    }
    static std::int64_t number_of(const json::value& one) { return one.at("number").to_number<std::int64_t>(); }
    /// Of the one that this user has.
    std::int64_t number_for(const std::string& user) {
        const auto all = listed(user);
        EXPECT_THAT(all, SizeIs(1)) << user;
        return all.empty() ? 0 : number_of(all.at(0));
    }
    static std::string target_of(std::int64_t number) { return fmt::format("/v1/sessions/{}", number); }
    bool is_open(const browser& b) { return status_of(from_page("GET", "/v1/whoami", b)) == 200; }
    void sql(const std::string& text) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            tx.exec(text);
            tx.commit();
        });
    }
};

TEST_F(Sessions, BeginWithACodeThatIsUsedOnce) {
    const auto first = code("auditor");
    const auto got = ask(signing_in(first));
    ASSERT_EQ(got.status, 200U) << got.body;
    EXPECT_EQ(text_in(got, "user"), "auditor");
    EXPECT_THAT(got.body, HasSubstr(R"("roles":["auditor"])"));
    const auto again = ask(signing_in(first));
    EXPECT_EQ(again.status, 401U);
    EXPECT_EQ(again.header("set-cookie"), "");
    EXPECT_THAT(text_in(again, "hint"), HasSubstr("semel console"));
}

TEST_F(Sessions, BeginWithACodeOfTheLastFiveMinutes) {
    const auto old = code("auditor");
    sql("UPDATE api.session_codes SET expires = now()");
    EXPECT_EQ(status_of(signing_in(old)), 401U);
    EXPECT_EQ(status_of(signing_in("made-up")), 401U);
    EXPECT_EQ(status_of(signing_in("")), 400U);
    EXPECT_EQ(status_of(signing_in(std::string(1'000, 'x'))), 400U);
    auto broken = from_page("POST", "/v1/session", {});
    broken.body = "code";
    EXPECT_EQ(status_of(std::move(broken)), 400U);
}

TEST_F(Sessions, AreForTheConsolesOwnPageAlone) {
    const auto one = code("auditor");
    EXPECT_EQ(status_of(signing_in(one, {}, "https://evil.example")), 403U) << "signing somebody in as somebody else";
    EXPECT_EQ(status_of(signing_in(one)), 200U) << "the code was not used up";
}

TEST_F(Sessions, LetTheBrowserDoWhatItsUserMay) {
    const auto b = sign_in("operator");
    EXPECT_EQ(text_in(ask(from_page("GET", "/v1/whoami", b)), "user"), "operator");
    auto create_one = from_page("POST", "/v1/campaigns", b);
    create_one.body = json::serialize(new_campaign());
    const auto made = ask(std::move(create_one));
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto approved = ask(from_page("POST", "/v1/campaigns/" + text_in(made, "id") + "/approve", b));
    EXPECT_EQ(approved.status, 403U);
    EXPECT_THAT(text_in(approved, "error"), HasSubstr("role operator"));
}

TEST_F(Sessions, ChangeNothingForAnotherSitesPage) {
    const auto b = sign_in("operator");
    const auto seal = "/v1/campaigns/" + create() + "/seal";
    EXPECT_EQ(status_of(from_page("POST", seal, b, "https://evil.example")), 403U);
    EXPECT_EQ(status_of(from_page("POST", seal, {.cookie = b.cookie, .guard = ""})), 403U) << "without the guard";
    const auto other = sign_in("operator");
    EXPECT_EQ(status_of(from_page("POST", seal, {.cookie = b.cookie, .guard = other.guard})), 403U);
    auto without_origin = request("", "POST", seal);
    without_origin.headers.emplace_back("Cookie", b.cookie);
    without_origin.headers.emplace_back("Semel-Guard", b.guard);
    EXPECT_EQ(status_of(std::move(without_origin)), 403U);
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", b, "https://evil.example")), 403U);
    EXPECT_EQ(status_of(from_page("POST", seal, b)), 409U) << "the page itself comes as far as the step";
}

TEST_F(Sessions, AreAlwaysNew) {
    const Sessions::browser planted{.cookie = fmt::format("semel-{}=planted", config.api.port), .guard = ""};
    const auto b = sign_in("auditor", planted);
    EXPECT_NE(b.cookie, planted.cookie);
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", planted)), 401U);
    const auto next = sign_in("auditor", b);
    EXPECT_NE(next.cookie, b.cookie);
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", b)), 401U) << "the one before ended";
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", next)), 200U);
}

TEST_F(Sessions, EndWhenTheirUserSaysSo) {
    const auto b = sign_in("auditor");
    EXPECT_EQ(status_of(from_page("DELETE", "/v1/session", {.cookie = b.cookie, .guard = ""})), 403U);
    const auto closed = ask(from_page("DELETE", "/v1/session", b));
    EXPECT_EQ(closed.status, 200U);
    EXPECT_THAT(std::string{closed.header("set-cookie")}, HasSubstr("Max-Age=0"));
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", b)), 401U);
}

TEST_F(Sessions, EndWithTheTokenThatTheyCameFrom) {
    make_ledger(); // who is let in and kept out is on record
    const auto b = sign_in("auditor");
    const auto unused = code("auditor");
    ASSERT_EQ(post("approver", "/v1/users/auditor/revoke").status, 200U);
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", b)), 401U);
    EXPECT_EQ(status_of(signing_in(unused)), 401U);
    write_token("auditor", "another" + std::string(32, 'y'));
    db->run_blocking([&](pqxx::connection& c) { adopt_users(c, config.tokens_dir); });
    EXPECT_EQ(status_of(from_page("GET", "/v1/whoami", b)), 401U) << "the user is back, the old token is not";
}

TEST_F(Sessions, ReachAsFarAsTheTokenThatTheyCameFrom) {
    make_ledger();
    const auto token = add("kim", R"("roles":["operator","auditor"],"scope":["read","operator"])");
    const auto got = ask(signing_in(code_for(token)));
    EXPECT_THAT(got.body, AllOf(HasSubstr(R"("user":"kim")"), HasSubstr(R"("roles":["operator"])"),
                                HasSubstr(R"("read_only":true)")));
    const auto b = with_code(code_for(token));
    EXPECT_EQ(status_of(from_page("GET", "/v1/campaigns", b)), 200U);
    auto create_one = from_page("POST", "/v1/campaigns", b);
    create_one.body = json::serialize(new_campaign());
    EXPECT_EQ(status_of(std::move(create_one)), 403U) << "it only reads";
    EXPECT_EQ(status_of(from_page("GET", "/v1/lookups", b)), 403U) << "it is for the operator's part alone";
    const auto unused = code_for(token);
    sql("UPDATE api.tokens SET expires = now() - interval '1 second' WHERE name = 'kim'");
    EXPECT_EQ(status_of(from_page("GET", "/v1/campaigns", b)), 401U);
    EXPECT_EQ(status_of(signing_in(unused)), 401U);
}

TEST_F(Sessions, AreInTheRecordOfRights) {
    make_ledger();
    const auto b = sign_in("operator");
    EXPECT_EQ(status_of(signing_in("made-up")), 401U);
    EXPECT_EQ(status_of(from_page("DELETE", "/v1/session", b)), 200U);
    std::vector<std::string> whats;
    for (const auto& one : get("auditor", "/v1/users/events").object().at("events").as_array()) {
        const auto& e = one.as_object();
        whats.push_back(std::string{e.at("what").as_string()} + " " + std::string{e.at("text").as_string()});
    }
    EXPECT_THAT(whats, testing::ElementsAre("signed_out ", "denied sign_in: unknown code", "signed_in "));
}

TEST_F(Sessions, EndUnattendedAndAfterHalfADay) {
    const auto b = sign_in("auditor");
    const auto look = [&] { return status_of(from_page("GET", "/v1/whoami", b)); };
    auto by_itself = [&] {
        auto r = from_page("GET", "/v1/whoami", b);
        r.headers.emplace_back("Semel-Unattended", "yes");
        return status_of(std::move(r));
    };
    sql("UPDATE api.sessions SET seen = now() - interval '20 minutes'");
    EXPECT_EQ(by_itself(), 200U);
    sql("UPDATE api.sessions SET seen = seen - interval '11 minutes'");
    EXPECT_EQ(by_itself(), 401U) << "what the page asks by itself keeps no session alive";
    sql("UPDATE api.sessions SET seen = now() - interval '20 minutes'");
    EXPECT_EQ(look(), 200U);
    sql("UPDATE api.sessions SET seen = seen - interval '11 minutes'");
    EXPECT_EQ(look(), 200U) << "a person looked in between";
    sql("UPDATE api.sessions SET opened = now() - interval '12 hours'");
    EXPECT_EQ(look(), 401U);
}

TEST_F(Sessions, MakeNoCodesForOthers) {
    const auto b = sign_in("auditor");
    EXPECT_EQ(status_of(from_page("POST", "/v1/session-codes", b)), 403U);
    EXPECT_EQ(get("auditor", "/v1/session").status, 404U) << "a token has none";
    EXPECT_EQ(text_in(ask(from_page("GET", "/v1/session", b)), "guard"), b.guard) << "for a page that was reloaded";
}

TEST_F(Sessions, AreKeptAsHashesAndForgottenWhenOver) {
    const auto b = sign_in("auditor");
    const auto c = code("auditor");
    const auto secret = b.cookie.substr(b.cookie.find('=') + 1);
    const auto rows = [&] {
        return db->run_blocking([](pqxx::connection& connection) {
            pqxx::work tx{connection};
            std::string all;
            for (const auto& row : tx.exec("SELECT s::text FROM api.sessions s UNION ALL SELECT c::text FROM "
                                           "api.session_codes c")) {
                all += row[0].as<std::string>() + "\n";
            }
            return all;
        });
    };
    EXPECT_THAT(rows(), AllOf(Not(HasSubstr(secret)), Not(HasSubstr(base::to_hex(secret))), Not(HasSubstr(c))));
    sql("UPDATE api.sessions SET seen = now() - interval '1 hour'");
    sql("UPDATE api.session_codes SET expires = now() - interval '1 hour'");
    code("operator");
    EXPECT_EQ(std::ranges::count(rows(), '\n'), 1) << rows();
}

TEST_F(Sessions, SlowDownWhoGuessesCodes) {
    shared->turned_away = denials{{.free = 1, .every = 1h, .longest = 300ms}};
    EXPECT_EQ(status_of(signing_in("guess-1")), 401U);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(status_of(signing_in("guess-2")), 401U);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
}

TEST_F(Sessions, AreOnNoRouteThatAnybodyMayUse) {
    EXPECT_EQ(routes(*shared).open(),
              (std::set<std::string>{"POST /v1/session", "GET /v1/sign-on", "GET /v1/sign-on/back"}));
}

TEST_F(Sessions, AndDataStayWithWhoAsked) {
    const auto b = sign_in("auditor");
    for (const auto& answer : {ask(from_page("GET", "/v1/campaigns", b)), ask(from_page("GET", "/v1/campaigns", {})),
                               ask(signing_in("made-up"))}) {
        EXPECT_EQ(answer.header("cache-control"), "no-store");
        EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
        EXPECT_THAT(std::string{answer.header("content-security-policy")}, HasSubstr("frame-ancestors 'none'"));
        EXPECT_EQ(answer.header("access-control-allow-origin"), "");
    }
}

TEST_F(Sessions, AreListedForTheirUser) {
    const auto first = sign_in("auditor"), second = sign_in("auditor");
    sign_in("operator");
    const auto got = ask(from_page("GET", "/v1/sessions", first));
    ASSERT_EQ(got.status, 200U) << got.body;
    const auto all = json::read(got.body)->at("sessions").as_array();
    ASSERT_THAT(all, SizeIs(2)) << "and nobody else's: " << got.body;
    EXPECT_GT(number_of(all[0]), number_of(all[1])) << "the latest first";
    EXPECT_FALSE(all[0].at("current").as_bool());
    EXPECT_TRUE(all[1].at("current").as_bool()) << "the one that asks";
    for (const auto& one : all) {
        EXPECT_EQ(one.at("user").as_string(), "auditor");
        EXPECT_EQ(one.at("how").as_string(), "code");
        EXPECT_GT(one.at("token").to_number<std::int64_t>(), 0);
        EXPECT_EQ(one.at("from").as_string(), "127.0.0.1");
        EXPECT_EQ(one.at("seen_from").as_string(), "127.0.0.1");
        const auto opened = base::from_rfc3339(one.at("opened").as_string());
        const auto ends = base::from_rfc3339(one.at("ends").as_string());
        ASSERT_TRUE(opened && ends);
        EXPECT_LE(*ends - *opened, 30min) << "unless somebody uses it";
    }
    EXPECT_THAT(got.body, AllOf(Not(HasSubstr(second.cookie.substr(second.cookie.find('=') + 1))),
                                Not(HasSubstr(second.guard)), Not(HasSubstr("sha256"))));
    for (const auto& one : listed("auditor")) {
        EXPECT_FALSE(one.at("current").as_bool()) << "a token asks";
    }
}

TEST_F(Sessions, OfOthersAreListedForAdministratorsAlone) {
    sign_in("operator");
    sign_in("auditor");
    for (const auto* user : {"operator", "approver", "product", "auditor"}) {
        EXPECT_EQ(get(user, "/v1/sessions?everybody=yes").status, 403U) << user;
        EXPECT_EQ(get(user, "/v1/sessions?user=administrator").status, 403U) << user;
        EXPECT_EQ(get(user, "/v1/sessions?user=" + std::string{user}).status, 200U) << user << ": the own, by name";
    }
    EXPECT_THAT(listed("administrator"), IsEmpty()) << "the own, without a word";
    EXPECT_THAT(listed("administrator", "?everybody=yes"), SizeIs(2));
    EXPECT_THAT(listed("administrator", "?user=operator"), SizeIs(1));
    EXPECT_THAT(listed("administrator", "?user=nobody"), IsEmpty());
    const auto page = get("administrator", "/v1/sessions?everybody=yes&limit=1").object();
    const auto next = page.at("next").to_number<std::int64_t>();
    EXPECT_EQ(next, number_of(page.at("sessions").as_array().at(0)));
    const auto rest = listed("administrator", fmt::format("?everybody=yes&before={}", next));
    ASSERT_THAT(rest, SizeIs(1));
    EXPECT_LT(number_of(rest[0]), next);
    for (const auto* bad :
         {"everybody=no", "everybody=", "everybody=yes&user=operator", "limit=0", "before=x", "user=%ff"}) {
        EXPECT_EQ(get("administrator", "/v1/sessions?" + std::string{bad}).status, 400U) << bad;
    }
}

TEST_F(Sessions, AreEndedByTheirUserInAnotherBrowser) {
    make_ledger();
    const auto lost = sign_in("auditor");
    const auto number = number_for("auditor");
    const auto b = sign_in("auditor");
    ASSERT_TRUE(is_open(lost));
    EXPECT_EQ(status_of(from_page("DELETE", target_of(number), {.cookie = b.cookie, .guard = ""})), 403U)
        << "without the guard";
    EXPECT_EQ(status_of(from_page("DELETE", target_of(number), {.cookie = b.cookie, .guard = lost.guard})), 403U)
        << "with another session's guard";
    EXPECT_EQ(status_of(from_page("DELETE", target_of(number), b, "https://evil.example")), 403U);
    ASSERT_TRUE(is_open(lost)) << "nothing of these ended it";
    const auto done = ask(from_page("DELETE", target_of(number), b));
    ASSERT_EQ(done.status, 200U) << done.body;
    EXPECT_EQ(done.header("set-cookie"), "") << "this browser keeps its own";
    EXPECT_FALSE(is_open(lost)) << "from the next request on";
    EXPECT_TRUE(is_open(b));
    EXPECT_THAT(listed("auditor"), SizeIs(1));
    EXPECT_EQ(status_of(from_page("DELETE", target_of(number), b)), 404U) << "once";

    const auto own = ask(from_page("DELETE", target_of(number_for("auditor")), b));
    EXPECT_EQ(own.status, 200U);
    EXPECT_THAT(std::string{own.header("set-cookie")}, HasSubstr("Max-Age=0"));
    EXPECT_FALSE(is_open(b));
}

TEST_F(Sessions, OfOthersAreEndedByAdministratorsAlone) {
    make_ledger();
    const auto b = sign_in("operator");
    const auto number = number_for("operator");
    for (const auto* user : {"approver", "product", "auditor"}) {
        EXPECT_EQ(call(request(user, "DELETE", target_of(number))).status, 403U) << user;
        EXPECT_EQ(status_of(from_page("DELETE", target_of(number), sign_in(user))), 403U) << user << " in a browser";
        EXPECT_TRUE(is_open(b)) << user;
    }
    ASSERT_EQ(call(request("administrator", "DELETE", target_of(number))).status, 200U);
    EXPECT_FALSE(is_open(b));
    const auto events = get("auditor", "/v1/users/events").object().at("events").as_array();
    const auto& ended = events.at(1); // before it: the refusal of a session that is over
    EXPECT_EQ(ended.at("what").as_string(), "session_ended");
    EXPECT_EQ(ended.at("user").as_string(), "administrator");
    EXPECT_EQ(ended.at("about").as_string(), "operator");
    EXPECT_EQ(ended.at("from").as_string(), "127.0.0.1");
    EXPECT_THAT(std::string{ended.at("text").as_string()}, StartsWith(fmt::format("session {}, signed in at", number)));
    EXPECT_EQ(std::ranges::count(events, std::string{"end_session: another person's sessions"},
                                 [](const auto& e) { return std::string{e.at("text").as_string()}; }),
              6);
}

TEST_F(Sessions, AreNotEndedByATokenThatOnlyReads) {
    make_ledger();
    const auto token = add("kim", R"("roles":["administrator"],"scope":["read"])");
    const auto b = with_code(code_for(token));
    EXPECT_EQ(status_of(from_page("GET", "/v1/sessions?everybody=yes", b)), 200U);
    EXPECT_EQ(status_of(from_page("DELETE", target_of(number_of(listed("administrator", "?user=kim").at(0))), b)),
              403U);
    EXPECT_TRUE(is_open(b));
}

TEST_F(Sessions, ThatCannotBeNotedAreNotEnded) {
    const auto b = sign_in("operator"); // where the ledger has no tables yet
    EXPECT_EQ(call(request("administrator", "DELETE", target_of(number_for("operator")))).status, 503U);
    EXPECT_TRUE(is_open(b));
}

TEST_F(Sessions, ThatAreOverAreNotListed) {
    make_ledger();
    sign_in("operator");
    const auto number = number_for("operator");
    const auto is_over = [&](const std::string& why) {
        EXPECT_THAT(listed("administrator", "?user=operator"), IsEmpty()) << why;
        EXPECT_EQ(call(request("administrator", "DELETE", target_of(number))).status, 404U) << why;
    };
    sql("UPDATE api.sessions SET seen = now() - interval '30 minutes'");
    is_over("idle");
    sql("UPDATE api.sessions SET seen = now(), opened = now() - interval '12 hours'");
    is_over("old");
    sql("UPDATE api.sessions SET opened = now(); UPDATE api.tokens SET expires = now() WHERE name = 'operator'");
    is_over("its token has ended");
    sql("UPDATE api.tokens SET expires = NULL");
    ASSERT_THAT(listed("operator"), SizeIs(1));
    ASSERT_EQ(post("approver", "/v1/users/operator/revoke").status, 200U);
    is_over("its user is revoked");
    for (const auto* none : {"/v1/sessions/0", "/v1/sessions/x", "/v1/sessions/99999999999999999999"}) {
        EXPECT_EQ(call(request("administrator", "DELETE", none)).status, 404U) << none;
    }
}

TEST_F(Sessions, ShowWhereTheyAreUsedFromLastWithoutBeingKeptAliveByIt) {
    const auto b = sign_in("auditor");
    sql("UPDATE api.sessions SET seen = now() - interval '20 minutes', seen_peer = '192.0.2.7'");
    const auto before = listed("auditor").at(0);
    EXPECT_EQ(before.at("from").as_string(), "127.0.0.1");
    EXPECT_EQ(before.at("seen_from").as_string(), "192.0.2.7");
    auto by_itself = from_page("GET", "/v1/whoami", b);
    by_itself.headers.emplace_back("Semel-Unattended", "yes");
    ASSERT_EQ(status_of(std::move(by_itself)), 200U);
    const auto after = listed("auditor").at(0);
    EXPECT_EQ(after.at("seen_from").as_string(), "127.0.0.1");
    EXPECT_EQ(after.at("seen"), before.at("seen"));
    EXPECT_TRUE(is_open(b));
    EXPECT_NE(listed("auditor").at(0).at("seen"), before.at("seen")) << "a person used it";
}

} // namespace
} // namespace semel::api::test
