#include "api.hpp"

#include "unmatched.hpp"

#include <base/time.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>

#include <api/edge/turned_away.hpp>

#include <algorithm>
#include <charconv>

namespace semel::api {

namespace asio = boost::asio;

http::router routes(services& s) {
    http::router all;
    add_campaign_routes(all, s);
    add_step_routes(all, s);
    add_upload_routes(all, s);
    add_record_routes(all, s);
    add_trial_routes(all, s);
    add_doubt_routes(all, s);
    add_people_routes(all, s);
    add_test_address_routes(all, s);
    add_user_routes(all, s);
    add_key_routes(all, s);
    add_unmatched_routes(all, s);
    return all;
}

namespace {

asio::awaitable<http::response> serve(services& s, const std::vector<role>& roles, const user_handler& handle,
                                      http::request& r) {
    const auto denied = [&](std::string_view who, std::string_view why, http::response answer) {
        answer.held_back = s.turned_away.denied(r.peer, std::chrono::steady_clock::now());
        telemetry::log().warn("access.denied", {{"who", who},
                                                {"why", why},
                                                {"from", r.peer},
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
    if (std::ranges::find(roles, who->role) == roles.end()) {
        std::string needed;
        for (const auto role : roles) {
            needed += (needed.empty() ? "" : " or ") + std::string{to_string(role)};
        }
        co_return denied(
            who->name, "another role is needed",
            http::problem(403,
                          who->name + " has the role " + std::string{to_string(who->role)} + ", which may not do this",
                          "ask a user with the role " + needed + " (--as " + needed + ")"));
    }
    co_return co_await handle(r, *who);
}

} // namespace

http::handler for_roles(services& s, std::initializer_list<role> allowed, user_handler handle) {
    return [&s, roles = std::vector<role>{allowed},
            handle = std::move(handle)](http::request& r) -> asio::awaitable<http::response> {
        try {
            co_return co_await serve(s, roles, handle, r);
        } catch (const std::exception& e) {
            const auto outage = postgres::outage_in(e);
            if (!outage) {
                throw;
            }
            const auto away = turn_away(*outage);
            telemetry::log().warn("request.turned_away", {{"why", away.what}});
            co_return http::problem(503, away.what, away.hint);
        }
    };
}

http::response answer(const json::value& value, unsigned status) {
    http::response r;
    r.status = status;
    r.body = json::serialize(value);
    return r;
}

http::response not_found(const std::string& campaign) {
    return http::problem(404, "there is no campaign " + campaign, "`semel campaign list` names them all");
}

http::response refused(const base::fault& f) {
    return answer(json::object{{"error", f.why()}, {"retry", f.retryable()}}, 409);
}

v1::Event operator_event(const v1::Campaign& c, const user& who, const std::string& what) {
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_OPERATOR, c.id(), 0, what + "|" + std::to_string(c.version())));
    e.set_kind(v1::EVENT_OPERATOR);
    e.set_campaign_id(c.id());
    e.set_time_us(base::to_us(base::now()));
    e.set_text(what);
    e.set_actor(who.name);
    return e;
}

std::optional<std::uint32_t> number_in(const http::request& r, std::string_view parameter) {
    const auto& text = r.parameter(parameter);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && number >= 1 && number <= 999'999'999 ? std::optional{number} : std::nullopt;
}

asio::awaitable<base::result<json::object>> read_object(http::request& r) {
    auto body = co_await r.body();
    if (!body) {
        co_return base::failed(body.error());
    }
    auto value = json::read(*body);
    if (!value) {
        co_return base::failed(value.error());
    }
    if (!value->is_object()) {
        co_return base::failed(base::fault::kind::malformed, "the body must be a JSON object");
    }
    co_return std::move(value->as_object());
}

} // namespace semel::api
