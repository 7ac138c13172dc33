// Who is signed in with a browser: a person sees and ends the own sessions, an administrator everybody's.

#include "api.hpp"

#include <telemetry/log.hpp>

#include <api/edge/access_events.hpp>
#include <api/edge/pages.hpp>
#include <api/edge/reading.hpp>
#include <api/edge/session_store.hpp>
#include <api/edge/who_asks.hpp>
#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using store::session_info;

store::session_view view_of(const services& s, const http::request& r) {
    return {.secret = session_of(s, r), .issuer = s.config.sign_on ? s.config.sign_on->issuer : std::string{}};
}

json::object to_json(const session_info& one) {
    return {{"number", one.number},
            {"user", one.user},
            {"how", one.token ? std::string_view{"code"} : std::string_view{"sign_on"}},
            {"token", one.token ? json::value(*one.token) : json::value(nullptr)},
            {"opened", in_seconds(one.opened_us)},
            {"seen", in_seconds(one.seen_us)},
            {"ends", in_seconds(one.ends_us)},
            {"from", text_or_null(one.from)},
            {"seen_from", text_or_null(one.seen_from)},
            {"current", one.current}};
}

refusal not_ones_own(const user& who, std::string_view what) {
    return {.who = who.name,
            .why = "another person's sessions",
            .answer = http::problem(403, fmt::format("{} may only {} the own sessions", who.name, what),
                                    "ask an administrator (--as administrator)")};
}

asio::awaitable<http::response> list(services& s, http::request& r, user who) {
    const auto page = page_of(r);
    const auto of = whose(r, who);
    if (!page || !of) {
        co_return http::problem(page ? of.error() : page.error());
    }
    if (access::judge(access::step::list_sessions, who, *of) != access::ruling::allowed) {
        co_return co_await deny(s, r, access::name_of(access::step::list_sessions), not_ones_own(who, "see"));
    }
    co_return co_await s.db.run([page = *page, of = *of, as = view_of(s, r)](pqxx::connection& c) {
        pqxx::work tx{c};
        json::array out;
        std::int64_t last = 0;
        for (const auto& one : store::open_sessions(tx, as, of, page.before, page.limit)) {
            last = one.number;
            out.push_back(to_json(one));
        }
        auto next = next_page(page, out.size(), last);
        return answer(json::object{{"sessions", std::move(out)}, {"next", std::move(next)}});
    });
}

/// What came of the wish to end one: no session where there is none of the number.
struct ended {
    std::optional<session_info> session = {};
    bool allowed = false;
};

ended end_by(pqxx::connection& connection, const user& who, const std::string& from, const store::session_view& as,
             std::int64_t number) {
    pqxx::work tx{connection};
    const auto there = store::find_session(tx, as, number);
    if (!there) {
        return {};
    }
    if (access::judge(access::step::end_session, who, there->user) != access::ruling::allowed) {
        return {.session = there};
    }
    if (!store::end_session(tx, number)) { // somebody else did at the same moment
        return {};
    }
    note(tx, {.actor = who.name,
              .from = from,
              .what = "session_ended",
              .about = there->user,
              .text = fmt::format("session {}, signed in at {} from {}", number, in_seconds(there->opened_us),
                                  there->from.empty() ? "an address that was not noted" : there->from)});
    tx.commit();
    return {.session = there, .allowed = true};
}

http::response no_such_session() {
    return http::problem(404, "there is no such session, or it is over", "`semel sessions list` shows the open ones");
}

/// From the next request on, in every process of the api.
asio::awaitable<http::response> end_one(services& s, http::request& r, user who) {
    const auto number = number_in(r, "session");
    if (!number) {
        co_return no_such_session();
    }
    const auto done = co_await s.steps.run([who, from = r.peer, as = view_of(s, r), number = *number](
                                               pqxx::connection& c) { return end_by(c, who, from, as, number); });
    if (!done.session) {
        co_return no_such_session();
    }
    if (!done.allowed) {
        co_return co_await deny(s, r, access::name_of(access::step::end_session), not_ones_own(who, "end"));
    }
    telemetry::log().info("session.ended", {{"user", done.session->user}, {"by", who.name}});
    auto out = answer(json::object{{"session", *number}, {"user", done.session->user}, {"ended", true}});
    if (done.session->current) {
        out.headers.emplace_back("Set-Cookie", browser::set_cookie(cookie_of(s), ""));
    }
    co_return out;
}

} // namespace

void add_session_list_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/sessions", access::step::list_sessions,
            [&s](http::request& r, user who) { return list(s, r, std::move(who)); });
    all.add("DELETE", "/v1/sessions/{session}", access::step::end_session,
            [&s](http::request& r, user who) { return end_one(s, r, std::move(who)); });
}

} // namespace semel::api
