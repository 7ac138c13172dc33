// Key-encryption keys: which there are, what lies under each, and wrapping campaigns' keys anew under the one that
// writes. The other services hear of it as of any new state of a campaign.

#include "api.hpp"

#include <base/bytes.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>

#include <map>

namespace semel::api {

namespace asio = boost::asio;

namespace {

json::object describe(const crypto::key_ring& keys, const std::map<std::string, std::int64_t>& campaigns) {
    json::array list;
    const auto writing = keys.writing();
    std::map<std::string, std::int64_t> strange = campaigns;
    for (const auto& key : keys.keys()) {
        const auto id = base::to_hex(base::as_view(key.id));
        const auto under = campaigns.find(id);
        list.push_back(json::object{{"id", id},
                                    {"state", key.id == writing ? "writes"
                                              : key.retired     ? "retired"
                                                                : "opens"},
                                    {"campaigns", under == campaigns.end() ? 0 : under->second}});
        strange.erase(id);
    }
    json::object out{{"keys", std::move(list)}};
    std::int64_t lost = 0;
    for (const auto& [id, count] : strange) {
        lost += id.empty() ? 0 : count;
    }
    out["campaigns_under_unnamed_keys"] = strange.contains("") ? strange[""] : 0;
    out["campaigns_under_other_keys"] = lost;
    return out;
}

/// By the id of the key that they lie under; "" for the form of older versions, which names none.
std::map<std::string, std::int64_t> campaigns_by_key(pqxx::connection& c) {
    pqxx::work tx{c};
    std::map<std::string, std::int64_t> out;
    for (const auto& campaign : store::all_campaigns(tx)) {
        if (!campaign.wrapped_key().empty()) {
            const auto id = crypto::key_ring::key_of(campaign.wrapped_key());
            ++out[id ? base::to_hex(base::as_view(*id)) : std::string{}];
        }
    }
    return out;
}

/// One campaign in a transaction of its own: no campaign waits for the others. True when it was wrapped anew.
bool wrap_anew(pqxx::connection& db, const std::string& id, const crypto::key_ring& keys, const user& who,
               std::int32_t event_partitions) {
    pqxx::work tx{db};
    auto c = store::lock_campaign(tx, id);
    if (!c || c->wrapped_key().empty() || keys.is_current(c->wrapped_key())) {
        return false;
    }
    const auto key = keys.unwrap(c->wrapped_key(), base::campaign_id{id});
    if (!key) {
        throw std::runtime_error{key.error().why()};
    }
    c->set_wrapped_key(keys.wrap(*key, base::campaign_id{id}));
    c->set_version(c->version() + 1);
    store::update_campaign(tx, *c);
    store::enqueue_event(
        tx, operator_event(*c, who, "wrapped its key anew, under key " + base::to_hex(base::as_view(keys.writing()))),
        event_partitions);
    tx.commit();
    return true;
}

asio::awaitable<http::response> list(services& s) {
    co_return co_await s.db.run(
        [keys = s.keys](pqxx::connection& c) { return answer(describe(keys, campaigns_by_key(c))); });
}

asio::awaitable<http::response> rotate(services& s, user who) {
    auto response = co_await s.db.run([keys = s.keys, who, partitions = s.topics.events](pqxx::connection& db) {
        std::vector<std::string> ids;
        {
            pqxx::work tx{db};
            for (const auto& campaign : store::all_campaigns(tx)) {
                ids.push_back(campaign.id());
            }
        }
        std::int64_t wrapped = 0;
        json::array failed;
        for (const auto& id : ids) {
            try {
                wrapped += wrap_anew(db, id, keys, who, partitions) ? 1 : 0;
            } catch (const pqxx::failure&) {
                throw; // the database, not the campaign
            } catch (const std::runtime_error& e) {
                failed.push_back(json::object{{"campaign", id}, {"why", e.what()}});
            }
        }
        auto out = describe(keys, campaigns_by_key(db));
        out["wrapped_anew"] = wrapped;
        out["failed"] = std::move(failed);
        return answer(out);
    });
    telemetry::log().info("keys.rotated", {{"by", who.name}});
    s.outbox.notify();
    co_return response;
}

} // namespace

void add_key_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/keys", access::step::list_keys, [&s](http::request&, user) { return list(s); });
    all.add("POST", "/v1/keys/rotate", access::step::rotate_keys,
            [&s](http::request&, user who) { return rotate(s, std::move(who)); });
}

} // namespace semel::api
