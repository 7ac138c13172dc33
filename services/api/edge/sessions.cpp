// A browser signs in with a code that somebody with a token asked for, and gets a session of its own: the token itself
// never comes near the browser.

#include "api.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <crypto/seal.hpp>
#include <telemetry/log.hpp>

#include <api/core/accounts.hpp>
#include <api/edge/access_events.hpp>
#include <api/edge/session_store.hpp>
#include <api/edge/who_asks.hpp>

#include <optional>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t code_bytes = 16;
constexpr std::size_t longest_code = 100;
constexpr std::string_view sign_in = "sign_in"; // the step, as records name it

asio::awaitable<http::response> make_code(services& s, http::request& r) {
    if (r.bearer.empty()) {
        co_return http::problem(403, "a session makes no codes for others", "`semel console` makes one with a token");
    }
    const auto code = base::to_base64url(crypto::random_bytes(code_bytes));
    co_await s.steps.run([code, token = r.bearer](pqxx::connection& c) {
        pqxx::work tx{c};
        store::add_session_code(tx, code, token);
        tx.commit();
        return true;
    });
    const auto until = std::chrono::floor<std::chrono::seconds>(base::now() + browser::code_lasts);
    co_return answer(json::object{{"code", code}, {"expires", base::to_rfc3339(until)}}, 201);
}

json::object described(const user& who, std::string_view secret) {
    json::array roles;
    for (const auto& name : names_of(who.roles)) {
        roles.emplace_back(name);
    }
    return {{"user", who.name},
            {"roles", std::move(roles)},
            {"read_only", who.read_only},
            {"guard", browser::guard_of(secret)}};
}

refusal unknown_code() {
    return {.why = "unknown code",
            .answer = http::problem(401, "the code is not known: it holds for five minutes and once",
                                    "`semel console` prints another address")};
}

refusal from_elsewhere(std::string_view why) {
    return {.why = std::string{why},
            .answer = http::problem(403, "this did not come from the console's own page: " + std::string{why},
                                    "a proxy in front of the api must pass Host on as it came")};
}

/// The session that the browser had before ends: a secret that somebody planted there is worth nothing afterwards.
asio::awaitable<http::response> open(services& s, http::request& r) {
    if (const auto why = browser::distrust_of_origin(came_from(r)); !why.empty()) {
        co_return co_await deny(s, r, sign_in, from_elsewhere(why));
    }
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto* code = json::find_text(*body, "code");
    if (code == nullptr || code->empty() || code->size() > longest_code) {
        co_return http::problem(400, "code must be what `semel console` printed behind #code=");
    }
    const auto before = session_of(s, r);
    const auto opened = co_await s.steps.run([code = std::string{*code}, before, from = r.peer](pqxx::connection& c) {
        pqxx::work tx{c};
        auto made = store::open_session(tx, code, from);
        if (made && !before.empty()) {
            store::close_session(tx, before);
        }
        if (made) {
            note_if_possible(tx, {.actor = made->who.name, .from = from, .what = "signed_in"});
        }
        tx.commit();
        return made;
    });
    if (!opened) {
        co_return co_await deny(s, r, sign_in, unknown_code());
    }
    r.signed_in();
    telemetry::log().info("session.opened", {{"by", opened->who.name}, {"from", r.peer}});
    auto out = answer(described(opened->who, opened->secret));
    out.headers.emplace_back("Set-Cookie", browser::set_cookie(cookie_of(s), opened->secret));
    co_return out;
}

http::response no_session() {
    return http::problem(404, "there is no session: a token asked", "GET /v1/whoami says whose it is");
}

asio::awaitable<http::response> close(services& s, http::request& r, user who) {
    const auto secret = session_of(s, r);
    if (secret.empty()) {
        co_return no_session();
    }
    co_await s.steps.run([secret, by = who.name, from = r.peer](pqxx::connection& c) {
        pqxx::work tx{c};
        store::close_session(tx, secret);
        note_if_possible(tx, {.actor = by, .from = from, .what = "signed_out"});
        tx.commit();
        return true;
    });
    telemetry::log().info("session.closed", {{"by", who.name}});
    auto out = answer(json::object{{"closed", true}});
    out.headers.emplace_back("Set-Cookie", browser::set_cookie(cookie_of(s), ""));
    co_return out;
}

} // namespace

void add_session_routes(guarded_routes& all, services& s) {
    all.add("POST", "/v1/session-codes", access::step::use_session,
            [&s](http::request& r, user) { return make_code(s, r); });
    all.add_open("POST", "/v1/session", [&s](http::request& r) { return open(s, r); });
    all.add("GET", "/v1/session", access::step::use_session,
            [&s](http::request& r, user who) -> asio::awaitable<http::response> {
                const auto secret = session_of(s, r);
                co_return secret.empty() ? no_session() : answer(described(who, secret));
            });
    all.add("DELETE", "/v1/session", access::step::use_session,
            [&s](http::request& r, user who) { return close(s, r, std::move(who)); });
}

} // namespace semel::api
