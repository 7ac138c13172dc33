// An operator's decision about what is in doubt. The api only says it; `receipts`, the one writer of doubt, obeys.

#include "api.hpp"

#include <base/time.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>

namespace semel::api {

namespace asio = boost::asio;

namespace {

v1::Event decided(const v1::Campaign& c, const user& who, const std::string& notification, std::uint32_t attempt,
                  const std::string& decision) {
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_RESOLVED, notification, attempt, decision));
    e.set_kind(v1::EVENT_RESOLVED);
    e.set_campaign_id(c.id());
    e.set_time_us(base::to_us(base::now()));
    e.set_notification(notification);
    e.set_attempt(attempt);
    e.set_code(decision);
    e.set_actor(who.name);
    return e;
}

asio::awaitable<http::response> resolve(services& s, http::request& r, user who) {
    const auto id = r.parameter("id");
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto* text = json::find_text(*body, "decision");
    const std::string decision{text == nullptr ? std::string_view{} : std::string_view{*text}};
    if (decision != "resend" && decision != "presume-sent") {
        co_return http::problem(400, "decision must be resend or presume-sent");
    }
    auto response = co_await s.db.run([id, who, decision,
                                       partitions = s.config.partitions](pqxx::connection& connection) {
        pqxx::work tx{connection};
        const auto c = store::lock_campaign(tx, id);
        if (!c) {
            return not_found(id);
        }
        std::int64_t count = 0;
        for (const auto& row : tx.exec_params("SELECT notification, attempt FROM ledger.in_doubt($1)", id)) {
            const auto notification = pqxx::binarystring{row[0]}.str();
            store::enqueue_event(tx, decided(*c, who, notification, row[1].as<std::uint32_t>(), decision), partitions);
            ++count;
        }
        tx.commit();
        return answer(json::object{{"id", id}, {"resolved", count}}, 202);
    });
    if (response.status == 202) {
        s.outbox.notify();
        telemetry::log().info("doubts decided", {{"campaign", id}, {"decision", decision}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

void add_doubt_routes(http::router& all, services& s) {
    all.add("POST", "/v1/campaigns/{id}/in-doubt", for_roles(s, {role::operator_}, [&s](http::request& r, user who) {
                return resolve(s, r, std::move(who));
            }));
}

} // namespace semel::api
