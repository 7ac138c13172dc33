// What is in doubt, with what was looked for, and an approver's decision about it. The api only says it; `receipts`,
// the one writer of doubt, obeys.

#include "api.hpp"

#include <base/time.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <api/core/evidence.hpp>
#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <map>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using searches = std::map<std::string, receipt_search>; // by notification

searches read_searches(pqxx::work& tx, const std::string& campaign) {
    searches out;
    // Where receipts has never run, it has kept nothing.
    if (tx.exec1("SELECT to_regprocedure('receipts.evidence(text)')")[0].is_null()) {
        return out;
    }
    for (const auto& row : tx.exec_params("SELECT notification, comparable, fitting, candidates, others "
                                          "FROM receipts.evidence($1)",
                                          campaign)) {
        out[blob(row[0])] = {.comparable = row[1].as<bool>(),
                             .fitting = row[2].as<std::int64_t>(),
                             .candidates = row[3].as<std::int64_t>(),
                             .others = row[4].as<std::int64_t>()};
    }
    return out;
}

std::string recipient_of(const crypto::key256& key, const pqxx::row& row) {
    const auto recipient = wire::open_recipient(key, blob(row["recipient_ref"]), blob(row["sealed"]));
    return recipient ? recipient->recipient_id() : std::string{};
}

doubt doubt_of(const pqxx::row& row, const searches& found) {
    const auto search = found.find(blob(row["notification"]));
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
            .search = search == found.end() ? std::nullopt : std::optional{search->second}};
}

http::response list(pqxx::work& tx, const v1::Campaign& c, const crypto::key256& key) {
    const auto found = read_searches(tx, c.id());
    json::array out;
    for (const auto& row : tx.exec_params(
             "SELECT d.*, ledger.resends($1, d.notification) AS resends FROM ledger.in_doubt($1) d", c.id())) {
        const auto d = doubt_of(row, found);
        json::array evidence;
        for (const auto& line : evidence_of(d)) {
            evidence.emplace_back(line);
        }
        out.push_back(json::object{{"notification", base::to_hex(blob(row["notification"]))},
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
    }
    return answer(out);
}

http::response list_resent(pqxx::work& tx, const v1::Campaign& c, const crypto::key256& key) {
    json::array out;
    for (const auto& row : tx.exec_params("SELECT * FROM ledger.resent($1)", c.id())) {
        out.push_back(json::object{{"notification", base::to_hex(blob(row["notification"]))},
                                   {"recipient_id", recipient_of(key, row)},
                                   {"channel", text(row["channel"])},
                                   {"gateway", text(row["gateway"])},
                                   {"state", text(row["state"])},
                                   {"first_resent", time_of(row["first_us"])},
                                   {"times", row["times"].as<std::int64_t>()},
                                   {"withdrawn", row["withdrawn"].as<std::int64_t>()},
                                   {"decided_by", text(row["decided_by"])}});
    }
    return answer(out);
}

struct decision {
    std::string what, by, creator;
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
    e.set_text(fmt::format("decided by {}; the campaign is {}'s", d.by, d.creator));
    e.set_actor(d.by);
    return e;
}

http::response resolve_all(pqxx::connection& connection, const std::string& id, decision d, std::int32_t partitions) {
    pqxx::work tx{connection};
    const auto c = store::lock_campaign(tx, id);
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
    decision d{.what = std::string{text == nullptr ? std::string_view{} : std::string_view{*text}},
               .by = who.name,
               .creator = {}};
    if (d.what != "resend" && d.what != "presume-sent") {
        co_return http::problem(400, "decision must be resend or presume-sent");
    }
    auto response = co_await s.db.run([id, d, partitions = s.topics.events](pqxx::connection& connection) {
        return resolve_all(connection, id, d, partitions);
    });
    if (response.status == 202) {
        s.outbox.notify();
        telemetry::log().info("doubts decided", {{"campaign", id}, {"decision", d.what}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

void add_doubt_routes(http::router& all, services& s) {
    const auto add = [&](const char* pattern, maker make) {
        all.add("GET", pattern,
                for_roles(s, {role::operator_, role::approver, role::auditor},
                          [&s, make](http::request& r, user) { return read(s, r.parameter("id"), make); }));
    };
    add("/v1/campaigns/{id}/in-doubt", with_key(s, list));
    add("/v1/campaigns/{id}/resent", with_key(s, list_resent));
    all.add("POST", "/v1/campaigns/{id}/in-doubt",
            for_roles(s, {role::approver}, [&s](http::request& r, user who) { return resolve(s, r, std::move(who)); }));
}

} // namespace semel::api
