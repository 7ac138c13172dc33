#pragma once
// Dispatchers over a broker, a Redis and gateways, in one thread under one seed; what befalls them; and what must hold
// whatever does.

#include "broker.hpp"
#include "gateway.hpp"
#include "redis.hpp"
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

struct story {
    std::uint64_t seed = 1;
    std::size_t people = 250;
    std::size_t slots = 3;
    duration trouble = 40s;               ///< so long things break
    std::size_t events_of_a_life = 4'000; ///< of all processes together, between two deaths, on average; 0: nobody dies
    bool sleepers = true;  ///< and processes that do not reach Kafka: both are owners that know nothing of their end
    bool forgetful = true; ///< Redis
    sim_log::trouble kafka{.answer_lost = 0.02, .slow = 0.01};
    sim_store::trouble_with redis{.answer_lost = 0.005, .stalled = 0.002};
    temper gateways;
};

struct ending {
    std::vector<std::string> breaches; ///< none: all is well
    std::size_t accepted = 0, failed = 0, in_doubt = 0, awaiting = 0;
    std::size_t deaths = 0;
    std::uint64_t fingerprint = 0;
};

class town {
  public:
    explicit town(story);
    ~town();
    ending play();

  private:
    struct machine;
    struct told;
    void dispatch();
    void open(std::size_t slot);
    void closed(process, std::exception_ptr);
    void reopen(std::size_t slot);
    std::optional<process> somebody();
    void befall();
    bool troubled() const noexcept { return world_.now() < calm_; }
    std::map<std::string, told> listen();
    ending judge();

    story story_;
    telemetry::metrics metrics_;
    telemetry::logger log_;
    truth truth_;
    catalog::campaign_ptr campaign_;
    catalog::artifact_ptr artifact_;
    std::vector<std::string> notifications_;
    std::vector<std::string> surprises_;
    std::vector<std::unique_ptr<machine>> machines_; // also of the dead: what they were doing ends with the world
    std::size_t deaths_ = 0;
    std::size_t until_death_ = 0;
    instant calm_{};
    world world_; // ends before what is above, and takes all that was under way with it
    broker broker_;
    redis_server redis_;
};

} // namespace semel::simulation
