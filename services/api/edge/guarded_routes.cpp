#include "guarded_routes.hpp"

#include <http/json.hpp>
#include <telemetry/log.hpp>

#include <api/edge/access_events.hpp>
#include <api/edge/turned_away.hpp>
#include <api/edge/user_store.hpp>
#include <fmt/format.h>

#include <chrono>

namespace semel::api {

namespace asio = boost::asio;

namespace {

/// Who is kept out, and why.
struct refusal {
    std::string who; // empty: nobody knows
    std::string_view why;
    http::response answer;
};

refusal without_token() {
    return {.who = {},
            .why = "no token",
            .answer = http::problem(401, "a token is needed",
                                    "send Authorization: Bearer TOKEN; the local stack keeps tokens in "
                                    ".semel/config/tokens/USER")};
}

refusal with_unknown_token() {
    return {.who = {},
            .why = "unknown token",
            .answer =
                http::problem(401, "the token is not known", "check SEMEL_TOKEN, or --as USER for the local stack")};
}

refusal with_expired_token(const user& who) {
    return {.who = who.name,
            .why = "expired token",
            .answer = http::problem(401, "this token of " + who.name + " has ended",
                                    "an administrator makes another: `semel users token " + who.name + "`")};
}

refusal with_reading_token(const user& who) {
    return {.who = who.name,
            .why = "the token only reads",
            .answer = http::problem(403, "this token of " + who.name + " only reads", "ask with another token")};
}

refusal without_role(const user& who, access::step step) {
    const auto needed = access::who_may(step);
    return {.who = who.name,
            .why = "another role is needed",
            .answer = http::problem(403, who.name + " has " + roles_in_words(who) + ", which may not do this",
                                    "ask a user with the role " + needed + " (--as " + needed + ")")};
}

asio::awaitable<http::response> denied(services& s, const http::request& r, access::step step, refusal refused) {
    auto& answer = refused.answer;
    answer.held_back = s.turned_away.denied(r.peer, std::chrono::steady_clock::now());
    const auto route = r.method + " " + r.path.substr(0, 200);
    telemetry::log().warn("access.denied", {{"who", refused.who},
                                            {"why", refused.why},
                                            {"from", r.peer},
                                            {"step", access::name_of(step)},
                                            {"route", route},
                                            {"held_back_ms", answer.held_back.count()}});
    access_event event{.actor = refused.who,
                       .from = r.peer,
                       .what = "denied",
                       .text = fmt::format("{}: {}", access::name_of(step), refused.why)};
    co_await note_denial(s, std::move(event));
    co_return std::move(answer);
}

asio::awaitable<http::response> serve(services& s, access::step step, const user_handler& handle, http::request& r) {
    if (r.bearer.empty()) {
        co_return co_await denied(s, r, step, without_token());
    }
    const auto known = co_await s.steps.run([token = r.bearer](pqxx::connection& c) {
        pqxx::work tx{c};
        return store::owner_of_token(tx, token);
    });
    if (!known) {
        co_return co_await denied(s, r, step, with_unknown_token());
    }
    const auto& who = known->who;
    if (known->expired) {
        co_return co_await denied(s, r, step, with_expired_token(who));
    }
    r.signed_in();
    switch (access::at_all(step, who)) {
    case access::ruling::allowed:
        co_return co_await handle(r, who);
    case access::ruling::reading_only:
        co_return co_await denied(s, r, step, with_reading_token(who));
    default:
        co_return co_await denied(s, r, step, without_role(who, step));
    }
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
