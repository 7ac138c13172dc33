#pragma once
// Dispatchers over a broker, a Redis and gateways, in one thread under one seed; what befalls them; and what must hold
// whatever does.

#include "broker.hpp"
#include "gateway.hpp"
#include "judge.hpp"
#include "redis.hpp"
#include "sim_plan.hpp"
#include "sim_receipts.hpp"
#include "world.hpp"

#include <catalog/catalog.hpp>
#include <delivery/engine/engine.hpp>
#include <telemetry/log.hpp>
#include <telemetry/metrics.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::simulation {

/// How everybody's number begins: nothing that a process writes about itself may hold it.
inline constexpr const char* planted_number = "+821055";

struct story {
    std::uint64_t seed = 1;
    std::size_t people = 200;
    std::size_t slots = 3;
    duration trouble = 25s;               ///< so long things break
    std::size_t events_of_a_life = 1'500; ///< of all processes together, between two deaths, on average; 0: nobody dies
    bool sleepers = true;  ///< and processes that do not reach Kafka: both are owners that know nothing of their end
    bool forgetful = true; ///< Redis
    bool inline_starts = false;            ///< as on a real executor; seeds of before play another way then
    std::uint64_t looks_between_stops = 0; ///< at the time, until a dispatcher is stopped at that very place; 0: never
    bool operated = true;                  ///< somebody pauses and cancels campaigns
    double planned = 0.5;                  ///< how often plan releases, and not whatever comes
    double reports = 0.5;                  ///< of what a gateway accepted, what it reports on later
    sim_log::trouble kafka{.answer_lost = 0.02, .slow = 0.01, .crowded = 0.001, .given_up = 0.03};
    redis_server::trouble_with redis{.answer_lost = 0.005, .stalled = 0.002};
    temper gateways;
};

class town {
  public:
    explicit town(story);
    ~town();
    /// To its end, or to the first step that breaks what must hold.
    ending play();

  private:
    struct machine;
    struct receipts_process;
    struct plan_process;
    void found_campaigns();
    void plan_everybody();
    void release_in_bursts();
    void listen();
    void open(std::size_t slot);
    void open_receipts();
    void open_plan();
    void report(const delivery::outbound&);
    std::optional<receipts::policy> policy_of(const std::string& campaign) const;
    void closed(process, std::exception_ptr);
    void reopen(std::size_t slot);
    std::optional<process> somebody();
    void befall();
    void plan_orders();
    void order(const std::string& campaign, v1::CampaignPhase);
    void run_until(instant);
    bool troubled() const noexcept { return world_.now() < calm_; }

    story story_;
    telemetry::metrics metrics_;
    telemetry::logger log_;
    std::map<base::campaign_id, catalog::campaign_ptr> campaigns_; // as they are now
    catalog::artifact_ptr artifact_;
    std::vector<std::unique_ptr<machine>> machines_; // also of the dead: what they were doing ends with the world
    std::vector<std::unique_ptr<receipts_process>> receipts_; // one after the other
    std::vector<std::unique_ptr<plan_process>> plans_;        // one after the other
    sim_plan::audience audience_;
    std::size_t deaths_ = 0;
    std::size_t until_death_ = 0;
    instant calm_{};
    world world_; // ends before what is above, and takes all that was under way with it
    judge judge_;
    broker broker_;
    redis_server redis_;
};

} // namespace semel::simulation
