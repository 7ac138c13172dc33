// Signing on with the organisation's provider: to its page with a question that only this browser can bring an answer
// to, and back into a session. What comes back is a stranger's until the provider's signature says who it is.

#include "api.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>
#include <crypto/seal.hpp>
#include <telemetry/log.hpp>

#include <api/core/accounts.hpp>
#include <api/core/oidc_token.hpp>
#include <api/core/sign_on.hpp>
#include <api/edge/access_events.hpp>
#include <api/edge/session_store.hpp>
#include <api/edge/sign_on_provider.hpp>
#include <api/edge/who_asks.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view step_name = "sign_in"; // as records name it
constexpr std::string_view way_back = "/v1/sign-on/back";

/// What both routes need; lives with them.
struct signing_on {
    signing_on(services& all, const config::sign_on& settings)
        : s(all)
        , config(settings)
        , provider(all.executor, settings, all.sign_on_patience) {
        for (const auto& [group, names] : settings.roles) {
            auto roles = read_roles(names);
            if (!roles) {
                throw std::runtime_error{
                    fmt::format("{}: {}", all.config.place_of("api.sign_on.roles." + group), roles.error().why())};
            }
            table.emplace(group, *std::move(roles));
        }
    }
    std::string back() const { return config.own_address + std::string{way_back}; }
    browser::cookie cookie() const { return sign_on::cookie_of(cookie_of(s)); }

    services& s;
    const config::sign_on& config;
    sign_on_provider provider;
    sign_on::role_table table;
};
using shared_signing_on = std::shared_ptr<signing_on>;

/// Why a sign-on came to nothing.
struct came_to_nothing {
    sign_on::failure what;
    std::string why;
    std::string who = {}; // where that is known
};

http::response moved(std::string where) {
    http::response r{.status = 303};
    r.headers.emplace_back("Location", std::move(where));
    return r;
}

unsigned status_of(sign_on::failure f) {
    switch (f) {
    case sign_on::failure::provider:
        return 503;
    case sign_on::failure::name:
    case sign_on::failure::no_role:
    case sign_on::failure::revoked:
        return 403;
    default:
        return 401;
    }
}

/// A browser gets the console's page, which says in the person's language what the word means.
http::response told(const http::request& r, const came_to_nothing& n) {
    if (r.header("accept").contains("text/html")) {
        return moved(fmt::format("/#sign-on={}", sign_on::to_string(n.what)));
    }
    return http::problem(status_of(n.what), "nobody was signed in: " + n.why, "begin again at the console's page");
}

/// Whoever is refused is denied as with a wrong code; a provider that is away is nobody's guess.
asio::awaitable<http::response> refuse(shared_signing_on on, const http::request& r, came_to_nothing n) {
    auto answer = told(r, n);
    if (n.what == sign_on::failure::provider) {
        telemetry::log().warn("sign_on.failed", {{"why", n.why}});
        answer.held_back = on->s.turned_away.denied(r.peer, std::chrono::steady_clock::now());
    } else {
        answer =
            co_await deny(on->s, r, step_name, {.who = n.who, .why = "sign-on: " + n.why, .answer = std::move(answer)});
    }
    answer.headers.emplace_back("Set-Cookie", sign_on::set_cookie(on->cookie(), ""));
    co_return answer;
}

asio::awaitable<http::response> begin(shared_signing_on on, http::request& r) {
    if (!browser::distrust(came_from(r), "").empty()) {
        co_return moved("/"); // another site's page led here: a person begins at the console
    }
    const auto provider = co_await on->provider.described();
    if (!provider) {
        co_return told(r, {.what = sign_on::failure::provider, .why = provider.error().why()});
    }
    const auto before = session_of(on->s, r);
    const sign_on::attempt attempt{.secret = crypto::random_bytes(secret_bytes),
                                   .started = on->s.time().best,
                                   .fresh = !r.query_value("fresh").empty(),
                                   .before = before.empty() ? std::string{}
                                                            : std::string{base::as_view(crypto::sha256(before))}};
    const auto cookie = sign_on::to_text(attempt);
    const auto question = sign_on::question(on->config.client_id, on->back(), cookie, attempt.fresh);
    auto out = moved(oidc::with_query((*provider)->authorization, form_of(question)));
    out.headers.emplace_back("Set-Cookie", sign_on::set_cookie(on->cookie(), cookie));
    co_return out;
}

/// Who the provider says it is, and what that is worth here.
struct person {
    std::string subject;
    base::result<std::string> name; // asked for the first time alone
    std::vector<role> roles;
    std::optional<base::timestamp> authenticated;
};
using found_person = std::variant<person, came_to_nothing>;

came_to_nothing trouble_of(const base::fault& f) {
    const bool ours = f.what() == base::fault::kind::permanent || f.what() == base::fault::kind::malformed;
    return {.what = ours ? sign_on::failure::token : sign_on::failure::provider, .why = f.why()};
}

person person_of(const signing_on& on, const oidc::claims& claims) {
    return {.subject = claims.subject,
            .name = sign_on::name_in(claims.all, on.config.name_claim),
            .roles = sign_on::roles_in(claims.all, on.config.claim, on.table),
            .authenticated = claims.authenticated};
}

asio::awaitable<found_person> ask(shared_signing_on on, sign_on::attempt attempt, std::string cookie,
                                  std::string code) {
    const auto token =
        co_await on->provider.token_for(sign_on::exchange(on->config.client_id, on->back(), cookie, code));
    if (!token) {
        co_return trouble_of(token.error());
    }
    const auto head = oidc::read_header(*token);
    if (!head) {
        co_return trouble_of(head.error());
    }
    const auto keys = co_await on->provider.keys_for(*head);
    if (!keys) {
        co_return came_to_nothing{.what = sign_on::failure::provider, .why = keys.error().why()};
    }
    const oidc::expectations expected{.issuer = on->config.issuer,
                                      .client_id = on->config.client_id,
                                      .nonce = sign_on::nonce_of(cookie),
                                      .now = on->s.time().best,
                                      .fresh_since = attempt.fresh ? std::optional{attempt.started} : std::nullopt};
    const auto claims = oidc::verify(*token, **keys, expected);
    if (!claims) {
        co_return trouble_of(claims.error());
    }
    co_return person_of(*on, *claims);
}

struct opened {
    std::string name, secret;
};
using opening = std::variant<opened, came_to_nothing>;

std::string in_words(const std::vector<role>& roles) {
    return roles.empty() ? "none" : fmt::format("{}", fmt::join(names_of(roles), ", "));
}

/// Who comes for the first time. Nothing where another request of the same person was quicker. A refusal names nobody
/// as the one who was refused: the name may be another user's.
std::optional<std::variant<std::string, came_to_nothing>> added(pqxx::work& tx, const std::string& issuer,
                                                                const person& p, const std::string& from) {
    if (!p.name) {
        return came_to_nothing{.what = sign_on::failure::name, .why = p.name.error().why()};
    }
    if (p.roles.empty()) {
        return came_to_nothing{.what = sign_on::failure::no_role,
                               .why = fmt::format("none of the groups of {} has a role here", *p.name)};
    }
    if (store::add_person(tx, issuer, p.subject, *p.name, p.roles)) {
        note_if_possible(tx, {.actor = {},
                              .from = from,
                              .what = "user_added",
                              .about = *p.name,
                              .text = "by sign-on; roles: " + in_words(p.roles)});
        return *p.name;
    }
    if (!store::lock_person(tx, issuer, p.subject)) {
        return came_to_nothing{
            .what = sign_on::failure::name,
            .why = fmt::format("{} is another user's name here, or was; api.sign_on.name_claim may name another claim",
                               *p.name)};
    }
    return std::nullopt;
}

/// The name is the one of the first time, whatever the provider calls the person today.
std::variant<std::string, came_to_nothing> known_as(pqxx::work& tx, const std::string& issuer, const person& p,
                                                    const std::string& from) {
    if (!store::lock_person(tx, issuer, p.subject)) {
        if (auto first = added(tx, issuer, p, from)) {
            return *std::move(first);
        }
    }
    const auto there = store::lock_person(tx, issuer, p.subject).value();
    if (there.revoked) {
        return came_to_nothing{.what = sign_on::failure::revoked, .why = "the user was revoked", .who = there.name};
    }
    if (there.roles != p.roles) {
        store::replace_roles(tx, there.name, p.roles);
        note_if_possible(tx,
                         {.actor = {},
                          .from = from,
                          .what = "roles_changed",
                          .about = there.name,
                          .text = fmt::format("by sign-on: from {} to {}", in_words(there.roles), in_words(p.roles))});
    }
    if (p.roles.empty()) {
        return came_to_nothing{.what = sign_on::failure::no_role,
                               .why = "none of the person's groups has a role here any more",
                               .who = there.name};
    }
    return there.name;
}

/// The session that the browser had before ends.
opening open(pqxx::connection& c, const std::string& issuer, const person& p, const std::string& before,
             const std::string& from) {
    pqxx::work tx{c};
    auto name = known_as(tx, issuer, p, from);
    if (auto* nothing = std::get_if<came_to_nothing>(&name)) {
        tx.commit(); // what the person has lost is noted
        return *nothing;
    }
    opened out{.name = std::get<std::string>(std::move(name)), .secret = {}};
    out.secret = store::open_sign_on_session(tx, out.name, p.roles, p.authenticated, from);
    store::close_session_of_hash(tx, before);
    note_if_possible(tx, {.actor = out.name,
                          .from = from,
                          .what = "signed_in",
                          .about = {},
                          .text = "by sign-on; roles: " + in_words(p.roles)});
    tx.commit();
    return out;
}

sign_on::came_back came_back_with(const http::request& r) {
    return {.state = r.query_value("state"),
            .code = r.query_value("code"),
            .error = r.query_value("error"),
            .issuer = r.query_value("iss")};
}

std::string_view why_not(sign_on::failure f) {
    switch (f) {
    case sign_on::failure::elsewhere:
        return "the answer is not for this browser, or came too late";
    case sign_on::failure::cancelled:
        return "it was cancelled";
    case sign_on::failure::token:
        return "the answer is of another provider";
    default:
        return "the provider answered with an error";
    }
}

asio::awaitable<http::response> come_back(shared_signing_on on, http::request& r) {
    const std::string cookie{browser::value_in(r.header("cookie"), on->cookie().name)};
    const auto attempt = sign_on::attempt_in(cookie, on->s.time().best);
    if (!attempt) {
        constexpr auto elsewhere = sign_on::failure::elsewhere;
        co_return co_await refuse(on, r, {.what = elsewhere, .why = std::string{why_not(elsewhere)}});
    }
    const auto provider = co_await on->provider.described();
    if (!provider) {
        co_return co_await refuse(on, r, {.what = sign_on::failure::provider, .why = provider.error().why()});
    }
    const auto trouble = sign_on::trouble_with(came_back_with(r), cookie, on->config.issuer, (*provider)->names_itself);
    if (trouble) {
        co_return co_await refuse(on, r, {.what = *trouble, .why = std::string{why_not(*trouble)}});
    }
    auto found = co_await ask(on, *attempt, cookie, std::string{r.query_value("code")});
    if (auto* nothing = std::get_if<came_to_nothing>(&found)) {
        co_return co_await refuse(on, r, std::move(*nothing));
    }
    auto made = co_await on->s.steps.run(
        [issuer = on->config.issuer, p = std::get<person>(std::move(found)), before = attempt->before,
         from = r.peer](pqxx::connection& c) { return open(c, issuer, p, before, from); });
    if (auto* nothing = std::get_if<came_to_nothing>(&made)) {
        co_return co_await refuse(on, r, std::move(*nothing));
    }
    const auto& session = std::get<opened>(made);
    r.signed_in();
    telemetry::log().info("session.opened", {{"by", session.name}, {"from", r.peer}});
    auto out = moved("/");
    out.headers.emplace_back("Set-Cookie", browser::set_cookie(cookie_of(on->s), session.secret));
    out.headers.emplace_back("Set-Cookie", sign_on::set_cookie(on->cookie(), ""));
    co_return out;
}

asio::awaitable<http::response> no_provider() {
    co_return http::problem(404, "nobody signs on here: semel.yaml has no provider",
                            "`semel console` prints an address that signs a browser in");
}

} // namespace

void add_sign_on_routes(guarded_routes& all, services& s) {
    const auto on = s.config.sign_on ? std::make_shared<signing_on>(s, *s.config.sign_on) : nullptr;
    all.add_open("GET", "/v1/sign-on", [on](http::request& r) { return on ? begin(on, r) : no_provider(); });
    all.add_open("GET", std::string{way_back},
                 [on](http::request& r) { return on ? come_back(on, r) : no_provider(); });
}

} // namespace semel::api
