#include "guarded_routes.hpp"

#include <http/json.hpp>
#include <telemetry/log.hpp>

#include <api/edge/strict_headers.hpp>
#include <api/edge/turned_away.hpp>
#include <api/edge/who_asks.hpp>

#include <variant>

namespace semel::api {

namespace asio = boost::asio;

namespace {

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

refusal long_signed_in(const user& who) {
    constexpr std::string_view again = "/v1/sign-on?fresh=yes";
    return {.who = who.name,
            .why = "the sign-in is too long ago",
            .answer = sign_on_problem(403, "this wants a sign-in of the last five minutes, and yours is older",
                                      "sign in anew at " + std::string{again} + ", and do it again", again)};
}

asio::awaitable<http::response> serve(services& s, access::step step, const user_handler& handle, http::request& r) {
    auto asking = co_await who_asks(s, r);
    const auto name = access::name_of(step);
    if (auto* refused = std::get_if<refusal>(&asking)) {
        co_return co_await deny(s, r, name, std::move(*refused));
    }
    const auto who = std::get<user>(asking);
    switch (access::at_all(step, who)) {
    case access::ruling::allowed:
        co_return co_await handle(r, who);
    case access::ruling::reading_only:
        co_return co_await deny(s, r, name, with_reading_token(who));
    case access::ruling::sign_in_anew:
        co_return co_await deny(s, r, name, long_signed_in(who));
    default:
        co_return co_await deny(s, r, name, without_role(who, step));
    }
}

/// What holds for every answer, whatever its handler does.
http::handler behaved(http::handler handle) {
    return [handle = std::move(handle)](http::request& r) -> asio::awaitable<http::response> {
        http::response out;
        try {
            out = co_await handle(r);
        } catch (const std::exception& e) {
            const auto outage = postgres::outage_in(e);
            if (!outage) {
                throw;
            }
            const auto away = turn_away(*outage);
            telemetry::log().warn("request.turned_away", {{"why", away.what}});
            out = http::problem(503, away.what, away.hint);
        }
        as_data(out);
        co_return out;
    };
}

} // namespace

void guarded_routes::add(const std::string& method, const std::string& pattern, access::step step,
                         user_handler handle) {
    router_.add(method, pattern,
                behaved([&s = services_, step, handle = std::move(handle)](http::request& r)
                            -> asio::awaitable<http::response> { co_return co_await serve(s, step, handle, r); }));
    steps_.emplace(method + " " + pattern, step);
}

void guarded_routes::add_open(const std::string& method, const std::string& pattern, http::handler handle) {
    router_.add(method, pattern, behaved(std::move(handle)));
    open_.insert(method + " " + pattern);
}

} // namespace semel::api
