#include "decisions.hpp"

#include <api/edge/pages.hpp>
#include <api/edge/reading.hpp>
#include <api/edge/who_asks.hpp>

#include <map>

namespace semel::api {

namespace asio = boost::asio;

namespace {

/// Each campaign's name is read once.
class names_of_campaigns {
  public:
    explicit names_of_campaigns(pqxx::work& tx)
        : tx_(tx) {}
    const std::string& of(const std::string& id) {
        const auto [at, is_new] = names_.try_emplace(id);
        if (is_new) {
            const auto found = store::read_campaign(tx_, id);
            at->second = found ? found->name() : std::string{};
        }
        return at->second;
    }

  private:
    pqxx::work& tx_;
    std::map<std::string, std::string> names_;
};

http::response list(pqxx::work& tx, const std::string& of, const page_request& page) {
    const auto rows = tx.exec_params(
        "SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS time, actor, campaign, "
        "what, text, messages FROM api.decisions WHERE ($1 = '' OR actor = $1) AND ($2::bigint = 0 OR number < $2) "
        "ORDER BY number DESC LIMIT $3",
        of, page.before, page.limit);
    names_of_campaigns names{tx};
    json::array out;
    std::int64_t last = 0;
    for (const auto& row : rows) {
        last = row["number"].as<std::int64_t>();
        const auto campaign = text(row["campaign"]);
        const auto& messages = row["messages"];
        out.push_back(json::object{
            {"number", last},
            {"time", text(row["time"])},
            {"user", text(row["actor"])},
            {"campaign", campaign},
            {"name", names.of(campaign)},
            {"what", text(row["what"])},
            {"text", text(row["text"])},
            {"messages", messages.is_null() ? json::value(nullptr) : json::value(messages.as<std::int64_t>())}});
    }
    auto next = next_page(page, out.size(), last);
    return answer(json::object{{"decisions", std::move(out)}, {"next", std::move(next)}});
}

refusal not_ones_own(const user& who) {
    return {.who = who.name,
            .why = "another person's decisions",
            .answer = http::problem(403, who.name + " may only see the own decisions",
                                    "ask an auditor (--as auditor); a campaign's own are in its history")};
}

asio::awaitable<http::response> list_for(services& s, http::request& r, user who) {
    const auto page = page_of(r);
    const auto of = whose(r, who);
    if (!page || !of) {
        co_return http::problem(page ? of.error() : page.error());
    }
    if (access::judge(access::step::read_decisions, who, *of) != access::ruling::allowed) {
        co_return co_await deny(s, r, access::name_of(access::step::read_decisions), not_ones_own(who));
    }
    co_return co_await s.db.run([page = *page, of = *of](pqxx::connection& c) {
        pqxx::work tx{c};
        return list(tx, of, page);
    });
}

} // namespace

void note(pqxx::work& tx, const decision_made& d) {
    tx.exec_params0("INSERT INTO api.decisions (actor, campaign, what, text, messages) VALUES ($1, $2, $3, $4, "
                    "nullif($5::bigint, 0))",
                    d.actor, d.campaign, d.what, d.text, d.messages);
}

void add_decision_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/decisions", access::step::read_decisions,
            [&s](http::request& r, user who) { return list_for(s, r, std::move(who)); });
}

} // namespace semel::api
