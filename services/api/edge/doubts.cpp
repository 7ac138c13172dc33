// What is in doubt, with what was looked for, and an approver's decision about it. The api only says it; `receipts`,
// the one writer of doubt, obeys.

#include "api.hpp"

#include <base/time.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <api/core/evidence.hpp>
#include <api/edge/decisions.hpp>
#include <api/edge/lists.hpp>
#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <optional>

namespace semel::api {

namespace asio = boost::asio;

namespace {

/// What receipts looked for. Where it has never run, it has kept nothing.
const char* in_doubt_query(pqxx::work& tx) {
    return tx.exec1("SELECT to_regprocedure('receipts.evidence(text)')")[0].is_null()
               ? "SELECT d.*, ledger.resends($1, d.notification) AS resends, NULL::boolean AS comparable, 0 AS "
                 "fitting, 0 AS candidates, 0 AS others FROM ledger.in_doubt($1) d ORDER BY d.since_us, d.notification"
               : "SELECT d.*, ledger.resends($1, d.notification) AS resends, e.comparable, e.fitting, e.candidates, "
                 "e.others FROM ledger.in_doubt($1) d LEFT JOIN receipts.evidence($1) e USING (notification) "
                 "ORDER BY d.since_us, d.notification";
}

std::optional<receipt_search> search_of(const pqxx::row& row) {
    if (row["comparable"].is_null()) {
        return std::nullopt;
    }
    return receipt_search{.comparable = row["comparable"].as<bool>(),
                          .fitting = row["fitting"].as<std::int64_t>(),
                          .candidates = row["candidates"].as<std::int64_t>(),
                          .others = row["others"].as<std::int64_t>()};
}

std::string recipient_of(const crypto::campaign_key& key, const pqxx::row& row) {
    const auto recipient = wire::open_recipient(key, blob(row["recipient_ref"]), blob(row["sealed"]));
    return recipient ? recipient->recipient_id() : std::string{};
}

doubt doubt_of(const pqxx::row& row) {
    return {.channel = text(row["channel"]),
            .state = text(row["state"]),
            .since = base::from_us(row["since_us"].as<std::int64_t>()),
            .code = text(row["code"]),
            .text = text(row["text"]),
            .resends = row["resends"].as<std::int64_t>(),
            .unknown_receipts = row["unknown_receipts"].as<std::int64_t>(),
            .decided_code = text(row["decided_code"]),
            .decided_text = text(row["decided_text"]),
            .decided_by = text(row["decided_by"]),
            .search = search_of(row)};
}

list_form list(pqxx::work& tx, const v1::Campaign& c, const crypto::campaign_key& key) {
    const auto line = [c, key](const pqxx::row& row) {
        const auto d = doubt_of(row);
        json::array evidence;
        for (const auto& about : evidence_of(d)) {
            evidence.emplace_back(about);
        }
        return json::serialize(json::object{{"notification", base::to_hex(blob(row["notification"]))},
                                            {"recipient_id", recipient_of(key, row)},
                                            {"channel", d.channel},
                                            {"gateway", text(row["gateway"])},
                                            {"attempt", row["attempt"].as<int>()},
                                            {"code", d.code},
                                            {"state", d.state},
                                            {"unresolved", d.state == "unresolved"},
                                            {"resends", d.resends},
                                            {"since", time_of(row["since_us"])},
                                            {"evidence", std::move(evidence)},
                                            {"decision", decision_of(d, c)}});
    };
    people_shown shows{.what = looked_at::in_doubt, .count = "SELECT count(*) FROM ledger.in_doubt($1)"};
    return {.query = in_doubt_query(tx), .line = line, .shows = std::move(shows)};
}

list_form list_resent(pqxx::work&, const v1::Campaign&, const crypto::campaign_key& key) {
    const auto line = [key](const pqxx::row& row) {
        return json::serialize(json::object{{"notification", base::to_hex(blob(row["notification"]))},
                                            {"recipient_id", recipient_of(key, row)},
                                            {"channel", text(row["channel"])},
                                            {"gateway", text(row["gateway"])},
                                            {"state", text(row["state"])},
                                            {"first_resent", time_of(row["first_us"])},
                                            {"times", row["times"].as<std::int64_t>()},
                                            {"withdrawn", row["withdrawn"].as<std::int64_t>()},
                                            {"decided_by", text(row["decided_by"])}});
    };
    people_shown shows{.what = looked_at::resent, .count = "SELECT count(*) FROM ledger.resent($1)"};
    return {.query = "SELECT * FROM ledger.resent($1)", .line = line, .shows = std::move(shows)};
}

struct decision {
    std::string what;
    user by;
    std::string creator;
};

v1::Event decided(const v1::Campaign& c, const decision& d, const pqxx::row& doubt) {
    const auto notification = blob(doubt["notification"]);
    const auto attempt = doubt["attempt"].as<std::uint32_t>();
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_RESOLVED, notification, attempt, d.what));
    e.set_kind(v1::EVENT_RESOLVED);
    e.set_campaign_id(c.id());
    e.set_time_us(base::to_us(base::now()));
    e.set_notification(notification);
    if (const auto channel = base::channel_from(text(doubt["channel"]))) {
        e.set_channel(wire::to_proto(*channel));
    }
    e.set_attempt(attempt);
    e.set_code(d.what);
    e.set_text(fmt::format("decided by {}; the campaign is {}'s", d.by.name, d.creator));
    e.set_actor(d.by.name);
    return e;
}

http::response resolve_all(pqxx::connection& connection, const std::string& id, decision d, std::int32_t partitions) {
    pqxx::work tx{connection};
    // Not locked: a step that stops the campaign must not wait until thousands of doubts are decided.
    const auto c = store::read_campaign(tx, id);
    if (!c) {
        return not_found(id);
    }
    d.creator = store::creator_of(tx, id);
    if (const auto ok = may_decide_doubts(*c, d.creator, d.by); !ok) {
        return refused(ok.error());
    }
    std::int64_t count = 0;
    for (const auto& row : tx.exec_params("SELECT notification, attempt, channel FROM ledger.in_doubt($1) "
                                          "WHERE $2 <> 'presume-sent' OR state <> 'presumed_sent'",
                                          id, d.what)) {
        store::enqueue_event(tx, decided(*c, d, row), partitions);
        ++count;
    }
    if (count > 0) {
        note(tx, decision_made{.actor = d.by.name,
                               .campaign = id,
                               .what = d.what == "resend" ? "resend" : "presume_sent",
                               .messages = count});
    }
    tx.commit();
    return answer(json::object{{"id", id}, {"resolved", count}}, 202);
}

asio::awaitable<http::response> resolve(services& s, http::request& r, user who) {
    const auto id = r.parameter("id");
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto* text = json::find_text(*body, "decision");
    decision d{
        .what = std::string{text == nullptr ? std::string_view{} : std::string_view{*text}}, .by = who, .creator = {}};
    if (d.what != "resend" && d.what != "presume-sent") {
        co_return http::problem(400, "decision must be resend or presume-sent");
    }
    auto response = co_await s.lists.run([id, d, partitions = s.topics.events](pqxx::connection& connection) {
        return resolve_all(connection, id, d, partitions);
    });
    if (response.status == 202) {
        s.outbox.notify();
        telemetry::log().info("doubts.decided", {{"campaign", id}, {"decision", d.what}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

void add_doubt_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/campaigns/{id}/in-doubt", access::step::read_doubts, long_list(s, list));
    all.add("GET", "/v1/campaigns/{id}/resent", access::step::read_doubts, long_list(s, list_resent));
    all.add("POST", "/v1/campaigns/{id}/in-doubt", access::step::decide_doubts,
            [&s](http::request& r, user who) { return resolve(s, r, std::move(who)); });
}

} // namespace semel::api
