// Who may use the api: who asks, who there is, what each may do, and the tokens. A token is told once, to who made it.

#include "api.hpp"

#include <base/time.hpp>
#include <crypto/seal.hpp>
#include <telemetry/log.hpp>

#include <api/core/accounts.hpp>
#include <api/edge/access_events.hpp>
#include <api/edge/user_store.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::size_t token_bytes = 32;

json::array to_json(const std::vector<std::string>& names) {
    return json::array(names.begin(), names.end());
}

json::value time_or_null(const std::optional<std::int64_t>& us) {
    return us ? json::value(
                    json::string(base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(base::from_us(*us)))))
              : json::value(nullptr);
}

json::object to_json(const store::token_info& t) {
    return {{"number", t.number},
            {"scope", to_json(names_of(t.scope))},
            {"made_by", t.made_by},
            {"made", time_or_null(t.made_us)},
            {"expires", time_or_null(t.expires_us)}};
}

json::object to_json(const store::account_with_tokens& one) {
    json::array tokens;
    for (const auto& t : one.tokens) {
        tokens.push_back(to_json(t));
    }
    return {{"user", one.name},           {"roles", to_json(names_of(one.roles))},
            {"from_file", one.from_file}, {"sign_on", one.by_sign_on},
            {"added_by", one.added_by},   {"added", time_or_null(one.added_us)},
            {"tokens", std::move(tokens)}};
}

asio::awaitable<http::response> list(services& s) {
    co_return co_await s.db.run([](pqxx::connection& connection) {
        pqxx::work tx{connection};
        json::array out;
        for (const auto& one : store::all_users(tx)) {
            out.push_back(to_json(one));
        }
        return answer(out);
    });
}

result<std::vector<std::string>> names_in(const json::object& body, std::string_view key) {
    std::vector<std::string> out;
    const auto* list = body.if_contains(key);
    if (list == nullptr || list->is_null()) {
        return out;
    }
    const auto is_text = [](const json::value& one) { return one.is_string(); };
    if (!list->is_array() || !std::ranges::all_of(list->get_array(), is_text)) {
        return failed(fault::kind::malformed, fmt::format("{} must be a list of words", key));
    }
    for (const auto& one : list->get_array()) {
        out.emplace_back(one.get_string());
    }
    return out;
}

result<std::optional<std::int64_t>> whole_number_in(const json::object& body, std::string_view key) {
    const auto* found = body.if_contains(key);
    if (found == nullptr || found->is_null()) {
        return std::optional<std::int64_t>{};
    }
    if (!found->is_int64()) {
        return failed(fault::kind::malformed, fmt::format("{} must be a whole number", key));
    }
    return std::optional{found->get_int64()};
}

/// {"days": 90, "scope": ["read"]}; both may be missing.
struct token_wish {
    std::chrono::days life = usual_life;
    token_scope scope = {};
};

result<token_wish> token_wish_of(const json::object& body) {
    const auto days = whole_number_in(body, "days");
    const auto names = names_in(body, "scope");
    if (!days || !names) {
        return failed(days ? names.error() : days.error());
    }
    const auto life = read_life(*days);
    auto scope = read_scope(*names);
    if (!life || !scope) {
        return failed(life ? scope.error() : life.error());
    }
    return token_wish{.life = *life, .scope = std::move(*scope)};
}

result<std::vector<role>> roles_in(const json::object& body) {
    const auto names = names_in(body, "roles");
    return names ? read_roles(*names) : failed(names.error());
}

/// What a change is about and who makes it; it is one transaction with its entry in the record.
struct change {
    std::string by, from;
    std::string user;

    access_event event(std::string what, std::string text) const {
        return {.actor = by, .from = from, .what = std::move(what), .about = user, .text = std::move(text)};
    }
};

/// Makes a token and notes it. The token itself is in the answer, and nowhere else.
json::object make_token(pqxx::work& tx, const change& c, const std::vector<role>& roles, const token_wish& wish) {
    const auto token = token_text(crypto::random_bytes(token_bytes));
    const auto made = store::add_token(tx, c.user, token, wish.scope, wish.life, c.by);
    const auto scope = names_of(wish.scope);
    note(tx, c.event("token_made", fmt::format("token {} for {} days, scope: {}", made.number, wish.life.count(),
                                               scope.empty() ? "all" : fmt::format("{}", fmt::join(scope, ", ")))));
    auto out = to_json(made);
    out["user"] = c.user;
    out["roles"] = to_json(names_of(roles));
    out["token"] = token;
    return out;
}

http::response no_such_user() {
    return http::problem(404, "there is no such user, or the rights are revoked already",
                         "`semel users list` names them all");
}

http::response of_a_file(const std::string& name) {
    return http::problem(409,
                         name + " is a user of tokens_dir: its role is its name, its token what stands in its file",
                         "`semel users add` makes users with names of their own");
}

http::response of_the_provider(const std::string& name) {
    return http::problem(409, name + " signs on with your organisation's provider, which says what roles they have",
                         "change the person's groups there; what a group gives here stands in semel.yaml under "
                         "api.sign_on.roles");
}

http::response add(pqxx::connection& connection, const change& c, const std::vector<role>& roles,
                   const token_wish& wish) {
    pqxx::work tx{connection};
    if (const auto there = store::lock_user(tx, c.user)) {
        return http::problem(409,
                             c.user + (there->revoked ? " was a user before: a name stays the person's who had it"
                                                      : " is a user already"),
                             "`semel users roles` gives roles, `semel users token` a token; another person has another "
                             "name");
    }
    store::add_user(tx, c.user, roles, c.by);
    note(tx, c.event("user_added", fmt::format("roles: {}", fmt::join(names_of(roles), ", "))));
    auto out = make_token(tx, c, roles, wish);
    tx.commit();
    return answer(out, 201);
}

http::response change_roles(pqxx::connection& connection, const change& c, const std::vector<role>& roles) {
    pqxx::work tx{connection};
    const auto there = store::lock_user(tx, c.user);
    if (!there) {
        return no_such_user();
    }
    if (there->from_file) {
        return of_a_file(c.user);
    }
    if (there->by_sign_on && !there->revoked) { // who was revoked is let in again: the next sign-on says with what
        return of_the_provider(c.user);
    }
    store::set_roles(tx, c.user, roles);
    note(tx,
         c.event("roles_changed",
                 fmt::format("from {} to {}",
                             there->revoked ? "revoked" : fmt::format("{}", fmt::join(names_of(there->roles), ", ")),
                             fmt::join(names_of(roles), ", "))));
    tx.commit();
    return answer(json::object{{"user", c.user}, {"roles", to_json(names_of(roles))}});
}

http::response another_token(pqxx::connection& connection, const change& c, const token_wish& wish) {
    pqxx::work tx{connection};
    const auto there = store::lock_user(tx, c.user);
    if (!there || there->revoked) {
        return no_such_user();
    }
    if (there->from_file) {
        return of_a_file(c.user);
    }
    if (there->by_sign_on) { // it would outlive what they may
        return of_the_provider(c.user);
    }
    auto out = make_token(tx, c, there->roles, wish);
    tx.commit();
    return answer(out, 201);
}

/// Known no more from the next request on, in every process of the api and after every restart.
http::response revoke(pqxx::connection& connection, const change& c, std::optional<std::int64_t> token) {
    pqxx::work tx{connection};
    const bool gone = token ? store::end_token(tx, c.user, *token, c.by) : store::revoke_user(tx, c.user, c.by);
    if (!gone) {
        return no_such_user();
    }
    note(tx,
         token ? c.event("token_ended", fmt::format("token {}", *token)) : c.event("user_revoked", "and every token"));
    tx.commit();
    json::object out{{"user", c.user}, {"revoked", true}};
    out["token"] = token ? json::value(*token) : json::value(nullptr);
    return answer(out);
}

change change_by(const http::request& r, const user& who, std::string about) {
    return {.by = who.name, .from = r.peer, .user = std::move(about)};
}

/// Nobody changes the own rights, whatever roles they have.
http::response not_ones_own(const user& who) {
    return http::problem(403, who.name + " may not change the own roles", "another administrator does");
}

asio::awaitable<http::response> add_step(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto* name = json::find_text(*body, "user");
    const auto fits = check_user_name(name == nullptr ? std::string_view{} : std::string_view{*name});
    if (!fits) {
        co_return http::problem(fits.error());
    }
    const auto roles = roles_in(*body);
    const auto wish = token_wish_of(*body);
    if (!roles || !wish) {
        co_return http::problem(roles ? wish.error() : roles.error());
    }
    auto response = co_await s.steps.run([c = change_by(r, who, std::string{*name}), roles = *roles,
                                          wish = *wish](pqxx::connection& db) { return add(db, c, roles, wish); });
    if (response.status == 201) {
        telemetry::log().warn("user.added", {{"user", std::string_view{*name}}, {"by", who.name}});
    }
    co_return response;
}

asio::awaitable<http::response> roles_step(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    const auto roles = body ? roles_in(*body) : failed(body.error());
    if (!roles) {
        co_return http::problem(roles.error());
    }
    auto c = change_by(r, who, r.parameter("user"));
    if (access::judge(access::step::change_users, who, c.user) != access::ruling::allowed) {
        co_return not_ones_own(who);
    }
    if (!check_user_name(c.user)) {
        co_return role_from(c.user) ? of_a_file(c.user) : no_such_user();
    }
    auto response =
        co_await s.steps.run([c, roles = *roles](pqxx::connection& db) { return change_roles(db, c, roles); });
    if (response.status == 200) {
        telemetry::log().warn("user.roles_changed", {{"user", c.user}, {"by", who.name}});
    }
    co_return response;
}

asio::awaitable<http::response> token_step(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    const auto wish = body ? token_wish_of(*body) : failed(body.error());
    if (!wish) {
        co_return http::problem(wish.error());
    }
    auto c = change_by(r, who, r.parameter("user"));
    if (!check_user_name(c.user)) {
        co_return role_from(c.user) ? of_a_file(c.user) : no_such_user();
    }
    auto response =
        co_await s.steps.run([c, wish = *wish](pqxx::connection& db) { return another_token(db, c, wish); });
    if (response.status == 201) {
        telemetry::log().warn("user.token_made", {{"user", c.user}, {"by", who.name}});
    }
    co_return response;
}

/// {"token": 7}: only that one. Without a body: the user, with every token.
asio::awaitable<result<std::optional<std::int64_t>>> token_to_end(http::request& r) {
    const auto text = co_await r.body();
    if (!text) {
        co_return failed(text.error());
    }
    if (text->empty()) {
        co_return std::optional<std::int64_t>{};
    }
    const auto body = json::read(*text);
    if (!body || !body->is_object()) {
        co_return failed(fault::kind::malformed, "the body must be a JSON object, or nothing");
    }
    co_return whole_number_in(body->get_object(), "token");
}

asio::awaitable<http::response> revoke_step(services& s, http::request& r, user who) {
    auto c = change_by(r, who, r.parameter("user"));
    if (access::judge(access::step::revoke_token, who, c.user) != access::ruling::allowed) {
        co_return http::problem(403, who.name + " may only revoke the own token",
                                "ask an approver or administrator (--as approver)");
    }
    const auto token = co_await token_to_end(r);
    if (!token) {
        co_return http::problem(token.error());
    }
    if (!is_utf8(c.user)) {
        co_return no_such_user();
    }
    auto response = co_await s.steps.run([c, token = *token](pqxx::connection& db) { return revoke(db, c, token); });
    if (response.status == 200) {
        telemetry::log().warn("user.revoked", {{"user", c.user}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

void add_user_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/whoami", access::step::see_oneself,
            [](http::request&, user who) -> asio::awaitable<http::response> {
                co_return answer(json::object{
                    {"user", who.name}, {"roles", to_json(names_of(who.roles))}, {"read_only", who.read_only}});
            });
    all.add("GET", "/v1/users", access::step::list_users, [&s](http::request&, user) { return list(s); });
    all.add("POST", "/v1/users", access::step::change_users,
            [&s](http::request& r, user who) { return add_step(s, r, std::move(who)); });
    all.add("POST", "/v1/users/{user}/roles", access::step::change_users,
            [&s](http::request& r, user who) { return roles_step(s, r, std::move(who)); });
    all.add("POST", "/v1/users/{user}/tokens", access::step::make_token,
            [&s](http::request& r, user who) { return token_step(s, r, std::move(who)); });
    all.add("POST", "/v1/users/{user}/revoke", access::step::revoke_token,
            [&s](http::request& r, user who) { return revoke_step(s, r, std::move(who)); });
}

} // namespace semel::api
