#pragma once
// Where plan finds its topics.

#include <kafka/cluster.hpp>
#include <wire/topics.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace semel::plan {

struct kafka_place {
    kafka::cluster bootstrap;
    std::int32_t partitions = 8; // of audience, progress, events and dispatch.*, as `semel up` creates them
    std::string instance;        // "plan", "plan-2": group.instance.id and transactional.id derive from it
    std::string prefix;          // of topics and groups; empty but in tests
    /// How long records of `audience` that nobody needs are kept, for whoever looks into what happened.
    std::chrono::seconds kept_afterwards = std::chrono::hours{24};
    std::chrono::seconds between_sweeps = std::chrono::minutes{10};

    std::string topic(std::string_view name) const { return prefix + std::string{name}; }
    std::string group(std::string_view name) const { return prefix + std::string{name}; }
};

} // namespace semel::plan
