#include "who_asks.hpp"

#include <telemetry/log.hpp>

#include <api/edge/access_events.hpp>
#include <api/edge/api.hpp>
#include <api/edge/session_store.hpp>
#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace semel::api {

namespace asio = boost::asio;

namespace {

refusal without_anything(const services& s) {
    return {.why = "no token",
            .answer = sign_on_problem(401, "a token is needed",
                                      "send Authorization: Bearer TOKEN; the local stack keeps tokens in "
                                      ".semel/config/tokens/USER",
                                      where_to_sign_on(s))};
}

refusal with_unknown_token() {
    return {.why = "unknown token",
            .answer =
                http::problem(401, "the token is not known", "check SEMEL_TOKEN, or --as USER for the local stack")};
}

refusal with_expired_token(const user& who) {
    return {.who = who.name,
            .why = "expired token",
            .answer = http::problem(401, "this token of " + who.name + " has ended",
                                    "an administrator makes another: `semel users token " + who.name + "`")};
}

refusal with_no_session(const services& s) {
    return {.why = "session over",
            .answer = sign_on_problem(401, "the session is over", "`semel console` prints the address of a new one",
                                      where_to_sign_on(s))};
}

/// One of another provider, or of the time when there was one.
bool is_of_no_provider(const services& s, const store::token_owner& owner) {
    return !owner.issuer.empty() && (!s.config.sign_on || s.config.sign_on->issuer != owner.issuer);
}

refusal not_believed(std::string_view why) {
    return {.why = std::string{why},
            .answer = http::problem(403, "this did not come from the console's own page: " + std::string{why},
                                    "a proxy in front of the api must pass Host on as it came; scripts use a token")};
}

} // namespace

browser::cookie cookie_of(const services& s) {
    return browser::cookie_of(!s.config.api_tls.certificate.empty(), s.config.api.port);
}

std::string session_of(const services& s, const http::request& r) {
    return r.bearer.empty() ? std::string{browser::value_in(r.header("cookie"), cookie_of(s).name)} : std::string{};
}

browser::came_from came_from(const http::request& r) {
    return {.method = r.method,
            .host = r.header("host"),
            .origin = r.header("origin"),
            .fetch_site = r.header("sec-fetch-site"),
            .guard = r.header("semel-guard")};
}

asio::awaitable<std::variant<user, refusal>> who_asks(services& s, http::request& r) {
    const auto secret = session_of(s, r);
    if (r.bearer.empty() && secret.empty()) {
        co_return without_anything(s);
    }
    if (!secret.empty()) {
        if (const auto why = browser::distrust(came_from(r), secret); !why.empty()) {
            co_return not_believed(why);
        }
    }
    // A page that renews its figures by itself does not keep an unattended session alive.
    const auto by = r.header("semel-unattended").empty() ? store::use::by_person : store::use::by_timer;
    const auto known = co_await s.steps.run([token = r.bearer, secret, by, from = r.peer](pqxx::connection& c) {
        pqxx::work tx{c};
        auto found = secret.empty() ? store::owner_of_token(tx, token) : store::owner_of_session(tx, secret, by, from);
        tx.commit();
        return found;
    });
    if (!known || is_of_no_provider(s, *known)) {
        co_return secret.empty() ? with_unknown_token() : with_no_session(s);
    }
    if (known->expired) {
        co_return with_expired_token(known->who);
    }
    r.signed_in();
    co_return known->who;
}

std::string where_to_sign_on(const services& s) {
    return s.config.sign_on ? "/v1/sign-on" : "";
}

http::response sign_on_problem(unsigned status, std::string_view error, std::string_view hint, std::string_view where) {
    if (where.empty()) {
        return http::problem(status, error, hint);
    }
    return answer(json::object{{"error", error}, {"hint", hint}, {"sign_on", where}}, status);
}

asio::awaitable<http::response> deny(services& s, const http::request& r, std::string_view step, refusal refused) {
    auto& answer = refused.answer;
    answer.held_back = s.turned_away.denied(r.peer, std::chrono::steady_clock::now());
    const auto route = r.method + " " + r.path.substr(0, 200);
    telemetry::log().warn("access.denied", {{"who", refused.who},
                                            {"why", refused.why},
                                            {"from", r.peer},
                                            {"step", step},
                                            {"route", route},
                                            {"held_back_ms", answer.held_back.count()}});
    access_event event{
        .actor = refused.who, .from = r.peer, .what = "denied", .text = fmt::format("{}: {}", step, refused.why)};
    co_await note_denial(s, std::move(event));
    co_return std::move(answer);
}

} // namespace semel::api
