#include "reading.hpp"

#include <base/time.hpp>
#include <crypto/keys.hpp>

namespace semel::api {

namespace asio = boost::asio;

std::string text(const pqxx::field& f) {
    return f.is_null() ? std::string{} : f.as<std::string>();
}

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(json::string(text));
}

std::string in_seconds(std::int64_t us) {
    return base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(base::from_us(us)));
}

std::string time_of(const pqxx::field& us) {
    return in_seconds(us.as<std::int64_t>());
}

std::string blob(const pqxx::field& f) {
    return f.is_null() ? std::string{} : pqxx::binarystring{f}.str();
}

json::object to_json(const coverage& c) {
    return {{"reached", c.reached},   {"failed", c.failed},           {"unreachable", c.unreachable},
            {"in_doubt", c.in_doubt}, {"outstanding", c.outstanding}, {"repeated", c.repeated},
            {"rejected", c.rejected}};
}

std::string state_of(const v1::Campaign& c, const coverage& lines) {
    return to_string(c.phase() == v1::CAMPAIGN_FINISHED && lines.outstanding > 0 ? v1::CAMPAIGN_RUNNING : c.phase());
}

asio::awaitable<http::response> read(services& s, std::string id, maker make) {
    co_return co_await s.db.run([id, make](pqxx::connection& connection) -> http::response {
        pqxx::work tx{connection};
        const auto c = store::read_campaign(tx, id);
        return c ? make(tx, *c) : not_found(id);
    });
}

maker with_key(services& s,
               std::function<http::response(pqxx::work&, const v1::Campaign&, const crypto::campaign_key&)> make) {
    return [&s, make](pqxx::work& tx, const v1::Campaign& c) {
        const auto key = s.keys.unwrap(c.wrapped_key(), base::campaign_id{c.id()});
        return key ? make(tx, c, *key)
                   : http::problem(410, key.error().why(), "hashes and counts remain: `semel campaign report`");
    };
}

} // namespace semel::api
