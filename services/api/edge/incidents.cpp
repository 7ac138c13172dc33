#include "incidents.hpp"

#include "api.hpp"

#include <api/core/family.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/lists.hpp>
#include <api/edge/reading.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;

namespace {

json::object row_of(pqxx::work& tx, const v1::Campaign& c) {
    const auto lines = read_coverage(tx, c);
    json::object out{
        {"id", c.id()},       {"name", c.name()},     {"state", state_of(c, lines)}, {"follow_up_of", nullptr},
        {"outcome", nullptr}, {"rows", lines.rows()}, {"coverage", to_json(lines)}};
    if (c.has_follow_up()) {
        out["follow_up_of"] = c.follow_up().of();
        out["outcome"] = c.follow_up().outcome();
    }
    return out;
}

/// People by how many of these campaigns have reached them.
json::object told_by(pqxx::work& tx, const std::vector<std::string>& family) {
    constexpr std::array<std::string_view, 4> names{"never", "once", "twice", "more"};
    std::array<std::int64_t, names.size()> counts{};
    std::string ids = "{";
    for (const auto& id : family) {
        ids += (ids.size() > 1 ? "," : "") + id;
    }
    for (const auto& row : tx.exec_params("SELECT times, people FROM ledger.told($1::text[])", ids + "}")) {
        counts.at(std::min(row[0].as<std::size_t>(), names.size() - 1)) += row[1].as<std::int64_t>();
    }
    json::object out;
    std::int64_t people = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        out[names[i]] = counts[i];
        people += counts[i];
    }
    out["people"] = people;
    return out;
}

http::response incident_of(pqxx::work& tx, const std::string& id) {
    const auto c = store::read_campaign(tx, id);
    if (!c) {
        return not_found(id);
    }
    const auto together = together_with(*c, store::all_campaigns(tx));
    json::array campaigns;
    for (const auto& other : together) {
        campaigns.push_back(row_of(tx, other));
    }
    const auto family = family_of(*c, together);
    json::array ids(family.begin(), family.end());
    return answer(json::object{{"incident", c->incident()},
                               {"campaigns", std::move(campaigns)},
                               {"family", std::move(ids)},
                               {"told", told_by(tx, family)}});
}

/// How often people were told takes as long as there are people: it keeps nobody else waiting.
asio::awaitable<http::response> show(services& s, http::request& r, user who) {
    const auto admitted = admit(s, who);
    if (!admitted.place) {
        co_return admitted.refusal;
    }
    co_return co_await s.lists.run([id = r.parameter("id")](pqxx::connection& connection) {
        pqxx::work tx{connection};
        tx.exec0("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"); // all of one moment
        return incident_of(tx, id);
    });
}

} // namespace

json::array together_ids(pqxx::work& tx, const v1::Campaign& c) {
    json::array out;
    for (const auto& other : together_with(c, store::all_campaigns(tx))) {
        out.emplace_back(other.id());
    }
    return out;
}

void add_incident_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/campaigns/{id}/incident", access::step::read_campaigns,
            [&s](http::request& r, user who) { return show(s, r, std::move(who)); });
}

} // namespace semel::api
