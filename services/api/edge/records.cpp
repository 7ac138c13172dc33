// What was done: status, coverage, one person's story. Reads the ledger's functions
// (services/ledger/schema.cpp).

#include "api.hpp"

#include <audience/import.hpp>
#include <base/time.hpp>
#include <crypto/keys.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <api/core/canary.hpp>
#include <api/core/deadline.hpp>
#include <api/edge/follow_ups.hpp>
#include <api/edge/incidents.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/lookups.hpp>
#include <api/edge/reading.hpp>
#include <api/edge/rendering.hpp>
#include <api/edge/standing.hpp>
#include <api/edge/unmatched.hpp>
#include <fmt/format.h>

namespace semel::api {

namespace asio = boost::asio;

namespace {

json::value time_or_null(std::int64_t us) {
    return us == 0 ? json::value(nullptr) : json::value(json::string(base::to_rfc3339(base::from_us(us))));
}

pqxx::result channels(pqxx::work& tx, const std::string& id) {
    return tx.exec_params(
        "SELECT channel, planned, covered, accepted, delivered, failed, in_doubt, unresolved, presumed_sent, resent, "
        "outstanding, retrying, doubtful, rate_per_s FROM ledger.channels($1)",
        id);
}

/// Every channel of the campaign, before its first event.
json::object zeros(const v1::Campaign& c, std::initializer_list<std::string_view> names) {
    json::object out;
    for (const auto channel : c.channels()) {
        json::object counts;
        for (const auto name : names) {
            counts[name] = 0;
        }
        if (const auto known = wire::from_proto(static_cast<v1::Channel>(channel))) {
            out[base::to_string(*known)] = std::move(counts);
        }
    }
    return out;
}

json::array waves_of(pqxx::work& tx, const v1::Campaign& c) {
    const auto plans = store::read_plans(tx, c.id());
    json::array out;
    for (const auto& wave : c.waves()) {
        json::object o{{"wave", wave.number()},
                       {"state", to_string(wave.phase())},
                       {"rows", wave.rows()},
                       {"rejected", wave.rejected()},
                       {"sha256", base::to_hex(wave.file_digest())}};
        if (const auto found = plans.find(wave.number()); found != plans.end()) {
            json::object addresses;
            for (const auto& [channel, count] : found->second.addresses) {
                addresses[channel] = count;
            }
            o["plan"] = json::object{{"recipients", found->second.recipients},
                                     {"unreachable", found->second.unreachable},
                                     {"addresses", std::move(addresses)}};
        }
        out.push_back(std::move(o));
    }
    return out;
}

void warn_of_dead_letters(pqxx::work& tx, const std::string& id, json::array& warnings) {
    const auto row = tx.exec_params1("SELECT letters, unattributed FROM ledger.dead_letters($1)", id);
    if (const auto n = row[0].as<std::int64_t>(); n > 0) {
        warnings.emplace_back(fmt::format("{} records of this campaign could not be read: whom they concern stays "
                                          "outstanding; see the topic dead-letter and the services' logs",
                                          n));
    }
    if (const auto n = row[1].as<std::int64_t>(); n > 0) {
        warnings.emplace_back(fmt::format(
            "{} records in Kafka were not believed, or could not be read, and may be of any campaign: something "
            "else writes there, or a key is missing. The topic dead-letter has them, the "
            "services' logs (record_refused) say why, docs/security.md what to do",
            n));
    }
}

void warn_of_doubts(const pqxx::row& row, const std::string& id, json::array& warnings) {
    const auto warn = [&](const char* column, const char* one, const char* many, const std::string& then) {
        if (const auto n = row[column].as<std::int64_t>(); n > 0) {
            warnings.emplace_back(
                fmt::format("{} {} message{}: {}", n, text(row["channel"]), n == 1 ? one : many, then));
        }
    };
    const auto names = fmt::format("`semel in-doubt list {}` names them", id);
    warn("doubtful", " is in doubt and may still be settled by evidence",
         "s are in doubt and may still be settled by evidence", names);
    warn("unresolved", " is in doubt and unresolved", "s are in doubt and unresolved",
         names + ", an approver decides: `semel in-doubt resolve --help`");
    warn("presumed_sent", " is presumed sent without evidence", "s are presumed sent without evidence", names);
    warn("resent", " was sent again while in doubt, at least once and maybe twice",
         "s were sent again while in doubt, at least once and maybe twice",
         fmt::format("`semel in-doubt list {} --resent` names them", id));
}

/// Nothing moves although there is something to send. If one channel stands still, its gateway hangs or refuses us, or
/// its dispatcher is down; if all do, it is more likely something that they share.
void warn_of_standstill(const pqxx::result& rows, json::array& warnings) {
    std::vector<std::pair<std::string, std::int64_t>> standing; // channel, outstanding
    std::size_t open = 0;
    for (const auto& row : rows) {
        const auto n = [&](const char* column) { return row[column].as<std::int64_t>(); };
        const auto moved = n("accepted") + n("failed") + n("retrying") + n("doubtful") != 0; // else it has just begun
        if (!moved || n("outstanding") <= n("doubtful")) {
            continue;
        }
        ++open;
        if (row["rate_per_s"].as<double>() == 0) {
            standing.emplace_back(text(row["channel"]), n("outstanding"));
        }
    }
    if (standing.size() > 1 && standing.size() == open) {
        std::string counts;
        for (const auto& [channel, n] : standing) {
            counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, channel);
        }
        warnings.emplace_back(fmt::format(
            "the ledger has heard of no message in the last ten seconds, and some are outstanding ({}): does it run "
            "(`semel ps`), has PostgreSQL's disk room (log of ledger), is Kafka well? Sending does not need the "
            "ledger; these counts are of the time when it stopped",
            counts));
        return;
    }
    for (const auto& [channel, outstanding] : standing) {
        warnings.emplace_back(fmt::format("no {0} message was accepted in the last ten seconds, and {1} are "
                                          "outstanding: does the service run (`semel ps`), do its gateways answer "
                                          "(log of {0})?",
                                          channel, outstanding));
    }
}

/// While somebody is still to be told.
void warn_of_the_law(pqxx::work& tx, const v1::Campaign& c, const coverage& lines, base::timestamp now,
                     json::array& warnings) {
    const bool over = c.phase() == v1::CAMPAIGN_FINISHED || c.phase() == v1::CAMPAIGN_CANCELLED;
    if (over || (c.planned_at_us() != 0 && lines.outstanding == 0)) {
        return;
    }
    const auto stored = store::notice_of(tx, c.id());
    const auto parsed = notice::parse({stored.files().begin(), stored.files().end()});
    if (const auto late = legal_warning(parsed.source, c, now)) {
        warnings.emplace_back(*late);
    }
}

/// The counts of one channel, by their names.
json::object counts_of(const pqxx::row& row, std::initializer_list<std::string_view> names) {
    json::object out;
    for (const auto name : names) {
        out[name] = row[std::string{name}].as<std::int64_t>();
    }
    return out;
}

/// What waits for an operator's word, with the outcomes to judge by.
void tell_brakes(pqxx::work& tx, const v1::Campaign& c, const pqxx::result& rows, json::object& status,
                 json::array& warnings) {
    status["canary"] = nullptr;
    status["halted"] = nullptr;
    if (is_halted(c)) {
        status["halted"] = json::object{{"since", time_or_null(c.halt().halted_us())}, {"why", c.halt().why()}};
        warnings.emplace_back(fmt::format("halted by its own rule at {}: {}. Nothing more is sent until an operator "
                                          "resumes it (`semel campaign resume {}`) or it is cancelled",
                                          base::to_rfc3339(base::from_us(c.halt().halted_us())), c.halt().why(),
                                          c.id()));
    }
    const auto canary = read_canary(tx, c);
    if (canary.stage == canary_stage::none) {
        return;
    }
    status["canary"] =
        json::object{{"rows", c.canary().rows()}, {"state", to_string(canary.stage)}, {"released", canary.released}};
    const bool runs = c.phase() == v1::CAMPAIGN_RUNNING || c.phase() == v1::CAMPAIGN_PAUSED;
    if (!runs || canary.stage == canary_stage::released) {
        return;
    }
    std::string outcomes;
    for (const auto& row : rows) {
        const auto n = [&](const char* column) { return row[column].as<std::int64_t>(); };
        outcomes += fmt::format("; {}: {} accepted, {} failed, {} in doubt, {} outstanding", text(row["channel"]),
                                n("accepted"), n("failed"), n("in_doubt"), n("outstanding"));
    }
    warnings.emplace_back(fmt::format("canary: {}: {} of {} rows released{}. `semel campaign release {}` lets the rest "
                                      "go",
                                      to_string(canary.stage), canary.released, c.canary().rows(), outcomes, c.id()));
}

json::object status_of(pqxx::work& tx, const v1::Campaign& c, base::timestamp now) {
    const auto rows = channels(tx, c.id());
    const std::initializer_list<std::string_view> names = {"planned",  "accepted",   "failed", "retrying",
                                                           "in_doubt", "unresolved", "resent", "outstanding"};
    auto per_channel = zeros(c, names);
    for (auto& [channel, counts] : per_channel) {
        counts.as_object()["rate_per_s"] = 0;
    }
    json::array warnings;
    json::object brakes;
    tell_brakes(tx, c, rows, brakes, warnings);
    for (const auto& row : rows) {
        auto counts = counts_of(row, names);
        counts["rate_per_s"] = row["rate_per_s"].as<double>();
        per_channel[text(row["channel"])] = std::move(counts);
        warn_of_doubts(row, c.id(), warnings);
        if (const auto n = row["retrying"].as<std::int64_t>(); n > 0 && c.phase() == v1::CAMPAIGN_RUNNING) {
            warnings.emplace_back(fmt::format("{} {} messages wait for another try", n, text(row["channel"])));
        }
    }
    if (c.phase() == v1::CAMPAIGN_RUNNING) {
        warn_of_standstill(rows, warnings);
    }
    warn_of_dead_letters(tx, c.id(), warnings);
    if (c.phase() == v1::CAMPAIGN_RUNNING || c.phase() == v1::CAMPAIGN_PAUSED) {
        warn_of_unmatched(tx, warnings);
    }
    const auto lines = read_coverage(tx, c);
    const auto released = read_released(tx, c);
    const auto finish = forecast_of(c, rows, released, now);
    if (finish && c.deadline_us() != 0 && *finish > base::from_us(c.deadline_us())) {
        const auto help = what_would_help(c, rows, released, now);
        warnings.emplace_back("at the present rate the campaign ends after its deadline" +
                              (help.empty() ? "" : ": " + help));
    }
    warn_of_the_law(tx, c, lines, now, warnings);
    for (const auto& wave : c.waves()) {
        if (!is_dropped(wave) && wave.phase() != v1::WAVE_LAUNCHED && c.phase() == v1::CAMPAIGN_RUNNING) {
            warnings.emplace_back(
                fmt::format("wave {} is {} and not launched", wave.number(), to_string(wave.phase())));
        }
    }
    return {{"id", c.id()},
            {"name", c.name()},
            {"state", state_of(c, lines)},
            {"canary", brakes["canary"]},
            {"halted", brakes["halted"]},
            {"start", time_or_null(c.start_us())},
            {"deadline", time_or_null(c.deadline_us())},
            {"deadline_basis", c.deadline_basis()},
            {"forecast_finish", finish ? json::value(json::string(base::to_rfc3339(*finish))) : json::value(nullptr)},
            {"warnings", warnings},
            {"rows", lines.rows()},
            {"coverage", to_json(lines)},
            {"channels", per_channel},
            {"waves", waves_of(tx, c)}};
}

using more_of_status = std::function<void(pqxx::work&, const v1::Campaign&, json::object&)>;

asio::awaitable<http::response> status(services& s, std::string id, more_of_status more) {
    const auto standing = co_await look_at_standing(s);
    co_return co_await read(s, std::move(id), [standing, more](pqxx::work& tx, const v1::Campaign& c) {
        auto o = status_of(tx, c, base::now());
        tell_standing(o, c, *standing);
        more(tx, c, o);
        return answer(o);
    });
}

json::object report_of(pqxx::work& tx, const v1::Campaign& c) {
    const std::initializer_list<std::string_view> names = {
        "planned", "covered", "accepted", "delivered", "failed", "in_doubt", "unresolved", "presumed_sent", "resent"};
    auto per_channel = zeros(c, names);
    for (const auto& row : channels(tx, c.id())) {
        per_channel[text(row["channel"])] = counts_of(row, names);
    }
    const auto lines = read_coverage(tx, c);
    return {{"id", c.id()},
            {"name", c.name()},
            {"state", state_of(c, lines)},
            {"rows", lines.rows()},
            {"coverage", to_json(lines)},
            {"channels", std::move(per_channel)},
            {"together", together_ids(tx, c)}};
}

json::object event_of(const pqxx::row& row) {
    return {{"time", text(row["time"])},
            {"channel", text(row["channel"])},
            {"kind", text(row["kind"])},
            {"attempt", row["attempt"].as<int>(0)},
            {"gateway", text(row["gateway"])},
            {"code", text(row["code"])},
            {"text", text(row["text"])},
            {"gateway_message_id", text(row["gateway_message_id"])},
            {"content_sha256", base::to_hex(blob(row["content_sha256"]))},
            {"notification", base::to_hex(blob(row["notification"]))},
            {"actor", text(row["actor"])}};
}

http::response story(pqxx::work& tx, const v1::Campaign& c, const crypto::campaign_key& key,
                     const std::string& recipient_id) {
    const auto ref = crypto::recipient_ref_of(key, base::recipient_id{recipient_id});
    const pqxx::binarystring ref_bytes{std::string{base::as_view(ref)}};
    json::array events;
    std::map<std::string, std::string> sent; // notification -> hash of what was accepted
    for (const auto& row :
         tx.exec_params("SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS time, "
                        "channel, kind, attempt, gateway, code, text, gateway_message_id, content_sha256, "
                        "notification, actor FROM ledger.story($1, $2)",
                        c.id(), ref_bytes)) {
        if (text(row["kind"]) == "accepted") {
            sent[blob(row["notification"])] = blob(row["content_sha256"]);
        }
        events.push_back(event_of(row));
    }
    if (events.empty()) {
        return http::problem(404, "this campaign knows no such recipient", "check the id; it is compared exactly");
    }
    json::array messages;
    const auto source = store::notice_of(tx, c.id());
    for (const auto& link : tx.exec_params(
             "SELECT l.channel, l.notification, l.role, l.artifact, l.supplement, r.sealed "
             "FROM ledger.links($1, $2) l, ledger.recipient($1, $2) r WHERE r.wave = l.wave AND r.row = l.row",
             c.id(), ref_bytes)) {
        const auto notification = blob(link["notification"]);
        json::object m{{"channel", text(link["channel"])},
                       {"notification", base::to_hex(notification)},
                       {"role", text(link["role"])},
                       {"supplement", link["supplement"].as<bool>()}};
        if (const auto accepted = sent.find(notification); accepted != sent.end()) {
            m["sent_sha256"] = base::to_hex(accepted->second);
        }
        if (text(link["role"]) == "own") {
            const auto recipient = wire::open_recipient(key, base::as_view(ref), blob(link["sealed"]));
            const auto rendered = recipient
                                      ? render_again(c, source, key, *recipient, notification, blob(link["artifact"]))
                                      : base::result<notice::content>{base::failed(recipient.error())};
            if (rendered) {
                json::array parts;
                for (const auto& part : rendered->parts) {
                    parts.emplace_back(printable(part, rendered->data_coding, text(link["channel"])));
                }
                m["content"] = std::move(parts);
                m["rendered_sha256"] = base::to_hex(base::as_view(rendered->sha256));
            } else {
                m["not_rendered"] = rendered.error().why();
            }
        }
        messages.push_back(std::move(m));
    }
    return answer(json::object{{"recipient_id", recipient_id},
                               {"campaign", c.id()},
                               {"events", std::move(events)},
                               {"messages", std::move(messages)}});
}

/// {"recipient_id", "reason", "case"}: whom, and why.
struct question {
    std::string recipient_id;
    lookup look;
};

base::result<question> question_of(const http::request& r, const json::object& body, const user& who) {
    const auto text_of = [&](std::string_view name) {
        const auto* found = json::find_text(body, name);
        return found == nullptr ? std::string{} : std::string{*found};
    };
    auto id = text_of("recipient_id");
    if (id.empty()) {
        return base::failed(base::fault::kind::malformed, "recipient_id must be a string");
    }
    auto why = purpose_of(text_of("reason"), text_of("case"));
    if (!why) {
        return base::failed(why.error());
    }
    if (why->reason.empty() && must_say_why(who)) {
        return base::failed(
            base::fault::kind::malformed,
            "a reason is needed: who looks a person up says why, and it is recorded with name, time and "
            "person (`--reason`; auditors may leave it out)");
    }
    return question{.recipient_id = std::move(id), .look = look_of(r, who, looked_at::story, std::move(*why))};
}

/// Noted in the same transaction, also when there is no such person: that somebody looked is what counts.
http::response noted_story(pqxx::work& tx, const v1::Campaign& c, const crypto::campaign_key& key, question asked) {
    auto out = story(tx, c, key, asked.recipient_id);
    const auto ref = crypto::recipient_ref_of(key, base::recipient_id{asked.recipient_id});
    asked.look.recipient_ref = std::string{base::as_view(ref)};
    asked.look.people = out.status == 200 ? 1 : 0;
    note(tx, asked.look);
    tx.commit();
    return out;
}

asio::awaitable<http::response> audit(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto asked = question_of(r, *body, who);
    if (!asked) {
        co_return http::problem(asked.error());
    }
    telemetry::log().info("person.read", {{"campaign", r.parameter("id")}, {"by", who.name}});
    co_return co_await read(
        s, r.parameter("id"),
        with_key(s, [asked = *asked](pqxx::work& tx, const v1::Campaign& c, const crypto::campaign_key& key) {
            return noted_story(tx, c, key, asked);
        }));
}

} // namespace

void add_record_routes(guarded_routes& all, services& s) {
    const auto add = [&](const char* pattern, maker make) {
        all.add("GET", pattern, access::step::read_campaigns,
                [&s, make](http::request& r, user) { return read(s, r.parameter("id"), make); });
    };
    const auto add_status = [&](const char* pattern, more_of_status more) {
        all.add("GET", pattern, access::step::read_campaigns,
                [&s, more](http::request& r, user) { return status(s, r.parameter("id"), more); });
    };
    add_status("/v1/campaigns/{id}", [](pqxx::work& tx, const v1::Campaign& c, json::object& o) {
        o["incident"] = c.incident();
        o["creator"] = store::creator_of(tx, c.id());
        o["notice_sha256"] = base::to_hex(c.notice_digest());
        o["compiled"] = !c.artifacts().empty();
        json::array segments;
        for (const auto& name : c.segment_names()) {
            segments.emplace_back(name);
        }
        o["segments"] = std::move(segments);
        o["follow_up"] = follow_up_of(tx, c);
    });
    add_status("/v1/campaigns/{id}/status", [](pqxx::work&, const v1::Campaign&, json::object&) {});
    add("/v1/campaigns/{id}/report", [](pqxx::work& tx, const v1::Campaign& c) { return answer(report_of(tx, c)); });
    all.add("POST", "/v1/campaigns/{id}/audit", access::step::read_person,
            [&s](http::request& r, user who) { return audit(s, r, std::move(who)); });
}

} // namespace semel::api
