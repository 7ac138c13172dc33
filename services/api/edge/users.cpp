// Who may use the api: who asks, who there is, and the end of a token.

#include "api.hpp"

#include <telemetry/log.hpp>

#include <api/edge/reading.hpp>

namespace semel::api {

namespace asio = boost::asio;

namespace {

asio::awaitable<http::response> list(services& s) {
    co_return co_await s.db.run([](pqxx::connection& connection) {
        pqxx::work tx{connection};
        json::array out;
        for (const auto& one : store::all_users(tx)) {
            out.push_back(json::object{{"user", one.name}, {"role", to_string(one.role)}});
        }
        return answer(out);
    });
}

/// The token is known no more from the next request on, in every process of the api and after every restart.
asio::awaitable<http::response> revoke(services& s, http::request& r, user who) {
    const auto name = r.parameter("user");
    if (access::judge(access::step::revoke_token, who, name) != access::ruling::allowed) {
        co_return http::problem(403, who.name + " may only revoke the own token", "ask an approver (--as approver)");
    }
    const bool known = co_await s.steps.run([name, by = who.name](pqxx::connection& connection) {
        pqxx::work tx{connection};
        const bool gone = store::revoke_user(tx, name, by);
        tx.commit();
        return gone;
    });
    if (!known) {
        co_return http::problem(404, "there is no such user, or the token is revoked already",
                                "`semel users list` names them all");
    }
    telemetry::log().warn("user.revoked", {{"user", name}, {"by", who.name}});
    co_return answer(json::object{{"user", name}, {"revoked", true}});
}

} // namespace

void add_user_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/whoami", access::step::see_oneself,
            [](http::request&, user who) -> asio::awaitable<http::response> {
                co_return answer(json::object{{"user", who.name}, {"role", to_string(who.role)}});
            });
    all.add("GET", "/v1/users", access::step::list_users, [&s](http::request&, user) { return list(s); });
    all.add("POST", "/v1/users/{user}/revoke", access::step::revoke_token,
            [&s](http::request& r, user who) { return revoke(s, r, std::move(who)); });
}

} // namespace semel::api
