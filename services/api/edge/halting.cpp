#include "halting.hpp"

#include <postgres/patiently.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>

#include <api/core/canary.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/store.hpp>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

v1::Event event_of(const v1::Campaign& halted, base::timestamp now) {
    v1::Event event;
    event.set_id(wire::event_id(v1::EVENT_OPERATOR, halted.id(), 0, "halted" + std::to_string(halted.version())));
    event.set_kind(v1::EVENT_OPERATOR);
    event.set_campaign_id(halted.id());
    event.set_time_us(base::to_us(now));
    event.set_text("halted: " + halted.halt().why());
    event.set_actor("semel");
    return event;
}

} // namespace

std::vector<std::pair<std::string, std::string>> halt_by_rule(pqxx::work& tx, base::timestamp now,
                                                              std::int32_t event_partitions) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& campaign : store::all_campaigns(tx)) {
        if (campaign.phase() != v1::CAMPAIGN_RUNNING || campaign.halt().above_percent() <= 0) {
            continue;
        }
        if (!why_to_halt(campaign, read_outcomes(tx, campaign.id()), now)) {
            continue;
        }
        // Somebody may have taken a step meanwhile, and the counts go on: once more, with the row locked.
        const auto locked = store::lock_campaign(tx, campaign.id());
        const auto outcomes = read_outcomes(tx, campaign.id());
        const auto why = locked ? why_to_halt(*locked, outcomes, now) : std::nullopt;
        if (!why) {
            continue;
        }
        if (const auto next = halt(*locked, outcomes, *why, now)) {
            store::update_campaign(tx, *next);
            store::enqueue_event(tx, event_of(*next, now), event_partitions);
            out.emplace_back(next->id(), *why);
        }
    }
    return out;
}

asio::awaitable<void> halt_campaigns(services& s) {
    const auto partitions = s.topics.events;
    while (co_await runtime::sleep(1s)) {
        const auto halted = co_await postgres::patiently(s.db, [partitions](pqxx::connection& c) {
            pqxx::work tx{c};
            auto done = halt_by_rule(tx, base::now(), partitions);
            tx.commit();
            return done;
        });
        for (const auto& [id, why] : halted) {
            telemetry::log().warn("campaign.halted", {{"campaign", id}, {"why", why}});
            s.outbox.notify();
        }
    }
}

} // namespace semel::api
