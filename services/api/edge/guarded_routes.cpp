#include "guarded_routes.hpp"

#include <http/json.hpp>
#include <telemetry/log.hpp>

#include <api/edge/store.hpp>
#include <api/edge/turned_away.hpp>

#include <chrono>

namespace semel::api {

namespace asio = boost::asio;

namespace {

asio::awaitable<http::response> serve(services& s, access::step step, const user_handler& handle, http::request& r) {
    const auto denied = [&](std::string_view who, std::string_view why, http::response answer) {
        answer.held_back = s.turned_away.denied(r.peer, std::chrono::steady_clock::now());
        telemetry::log().warn("access.denied", {{"who", who},
                                                {"why", why},
                                                {"from", r.peer},
                                                {"step", access::name_of(step)},
                                                {"route", r.method + " " + r.path.substr(0, 200)},
                                                {"held_back_ms", answer.held_back.count()}});
        return answer;
    };
    if (r.bearer.empty()) {
        co_return denied("", "no token",
                         http::problem(401, "a token is needed",
                                       "send Authorization: Bearer TOKEN; the local stack keeps tokens in "
                                       ".semel/config/tokens/USER"));
    }
    const auto who = co_await s.steps.run([token = r.bearer](pqxx::connection& c) {
        pqxx::work tx{c};
        return store::user_of_token(tx, token);
    });
    if (!who) {
        co_return denied(
            "", "unknown token",
            http::problem(401, "the token is not known", "check SEMEL_TOKEN, or --as USER for the local stack"));
    }
    r.signed_in();
    if (!access::may_at_all(step, *who)) {
        const auto needed = access::who_may(step);
        co_return denied(
            who->name, "another role is needed",
            http::problem(403,
                          who->name + " has the role " + std::string{to_string(who->role)} + ", which may not do this",
                          "ask a user with the role " + needed + " (--as " + needed + ")"));
    }
    co_return co_await handle(r, *who);
}

} // namespace

void guarded_routes::add(const std::string& method, const std::string& pattern, access::step step,
                         user_handler handle) {
    router_.add(
        method, pattern,
        [&s = services_, step, handle = std::move(handle)](http::request& r) -> asio::awaitable<http::response> {
            try {
                co_return co_await serve(s, step, handle, r);
            } catch (const std::exception& e) {
                const auto outage = postgres::outage_in(e);
                if (!outage) {
                    throw;
                }
                const auto away = turn_away(*outage);
                telemetry::log().warn("request.turned_away", {{"why", away.what}});
                co_return http::problem(503, away.what, away.hint);
            }
        });
    steps_.emplace(method + " " + pattern, step);
}

} // namespace semel::api
