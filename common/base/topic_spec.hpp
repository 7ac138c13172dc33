#pragma once
// What a topic is made with. Here, because wire says it and kafka does it, and neither needs the other.

#include <cstdint>
#include <map>
#include <string>

namespace semel::base {

struct topic_spec {
    std::string name;
    std::int32_t partitions = 1;
    bool compacted = false;
    std::map<std::string, std::string> config; // e.g. {"retention.ms", "-1"}
};

} // namespace semel::base
