#include "access_events.hpp"

#include <telemetry/log.hpp>

#include <api/edge/pages.hpp>
#include <api/edge/reading.hpp>

namespace semel::api {

namespace asio = boost::asio;

namespace {

http::response list(pqxx::work& tx, const std::string& user, const page_request& page) {
    json::array out;
    std::int64_t last = 0;
    for (const auto& row : tx.exec_params(
             "SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS time, actor, peer, "
             "what, about, text, times FROM ledger.access_events_before($1, $2, $3)",
             user, page.before, page.limit)) {
        last = row["number"].as<std::int64_t>();
        out.push_back(json::object{{"number", last},
                                   {"time", text(row["time"])},
                                   {"user", text_or_null(text(row["actor"]))},
                                   {"from", text_or_null(text(row["peer"]))},
                                   {"what", text(row["what"])},
                                   {"about", text_or_null(text(row["about"]))},
                                   {"text", text(row["text"])},
                                   {"times", row["times"].as<std::int64_t>()}});
    }
    auto next = next_page(page, out.size(), last);
    return answer(json::object{{"events", std::move(out)}, {"next", std::move(next)}});
}

asio::awaitable<http::response> list_all(services& s, http::request& r) {
    const auto page = page_of(r);
    const auto user = filter_of(r, "user");
    if (!page || !user) {
        co_return http::problem(page ? user.error() : page.error());
    }
    co_return co_await s.db.run([page = *page, user = *user](pqxx::connection& c) {
        pqxx::work tx{c};
        return list(tx, user, page);
    });
}

} // namespace

void note(pqxx::work& tx, const access_event& e) {
    tx.exec_params0("INSERT INTO ledger.access_events (actor, peer, what, about, text, times) "
                    "VALUES ($1, $2, $3, $4, $5, $6)",
                    e.actor, e.from, e.what, e.about, e.text, e.times);
}

asio::awaitable<void> note_denial(services& s, access_event e) {
    auto& record = e.actor.empty() ? s.refused_strangers : s.refused_users;
    const auto stands_for = record.denied(std::chrono::steady_clock::now());
    if (!stands_for) {
        co_return;
    }
    e.times = *stands_for;
    try {
        co_await s.steps.run([e = std::move(e)](pqxx::connection& c) {
            pqxx::work tx{c};
            note(tx, e);
            tx.commit();
        });
    } catch (const pqxx::failure& failure) {
        telemetry::log().warn("access.unrecorded", {{"why", failure.what()}});
    }
}

bool can_note_access(pqxx::work& tx) {
    return !tx.exec1("SELECT to_regclass('ledger.access_events')")[0].is_null();
}

void note_if_possible(pqxx::work& tx, const access_event& e) {
    if (can_note_access(tx)) {
        note(tx, e);
    }
}

void add_access_event_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/users/events", access::step::read_access_events,
            [&s](http::request& r, user) { return list_all(s, r); });
}

} // namespace semel::api
