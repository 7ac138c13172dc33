#include <kafka/retention.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace semel::kafka {
namespace {

constexpr std::int64_t year_minutes = 365 * 24 * 60;

std::optional<std::int64_t> number(const configuration& from, const std::string& key) {
    const auto it = from.find(key);
    std::int64_t value = 0;
    if (it == from.end()) {
        return std::nullopt;
    }
    const auto* end = it->second.data() + it->second.size();
    const auto [stop, code] = std::from_chars(it->second.data(), end, value);
    return code == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

} // namespace

std::vector<std::string> offsets_complaints(const configuration& broker) {
    const auto minutes = number(broker, "offsets.retention.minutes");
    if (!minutes) {
        return {"the broker does not tell offsets.retention.minutes; it must be at least a year's (525600)"};
    }
    if (*minutes < year_minutes) {
        return {fmt::format("offsets.retention.minutes is {} on the broker: a group that rests longer forgets what it "
                            "has sent. Set it to {} or more in the broker's server.properties",
                            *minutes, year_minutes)};
    }
    return {};
}

std::vector<std::string> topic_complaints(const topic_spec& spec, const configuration& topic) {
    std::vector<std::string> out;
    const auto policy_at = topic.find("cleanup.policy");
    const std::string policy = policy_at == topic.end() ? "unknown" : policy_at->second;
    if (spec.compacted) {
        if (policy != "compact") {
            out.push_back(fmt::format("topic {}: cleanup.policy is {}, it must be compact", spec.name, policy));
        }
        return out;
    }
    if (policy.contains("compact")) {
        out.push_back(fmt::format("topic {}: cleanup.policy is {}, it must be delete", spec.name, policy));
    }
    if (const auto type = spec.config.find("message.timestamp.type"); type != spec.config.end()) {
        const auto found = topic.find(type->first);
        if (found == topic.end() || found->second != type->second) {
            out.push_back(fmt::format("topic {}: {} is {}, it must be {} (the broker's clock counts, and no host's)",
                                      spec.name, type->first, found == topic.end() ? "unknown" : found->second,
                                      type->second));
        }
    }
    const auto kept = number(spec.config, "retention.ms");
    if (kept && *kept != -1) {
        return out; // what it forgets, nobody reads
    }
    for (const std::string setting : {"retention.ms", "retention.bytes"}) {
        if (const auto value = number(topic, setting); value != -1) {
            out.push_back(fmt::format("topic {}: {} is {}, it must be -1 (records are kept until the campaign "
                                      "closes)",
                                      spec.name, setting, value ? std::to_string(*value) : "unknown"));
        }
    }
    return out;
}

base::result<void> check_retention(admin& kafka, std::span<const topic_spec> specs) {
    const auto broker = kafka.broker_config();
    if (!broker) {
        return base::failed(broker.error());
    }
    auto complaints = offsets_complaints(*broker);
    for (const auto& spec : specs) {
        const auto topic = kafka.topic_config(spec.name);
        if (!topic) {
            return base::failed(topic.error());
        }
        for (auto& one : topic_complaints(spec, *topic)) {
            complaints.push_back(std::move(one));
        }
    }
    if (!complaints.empty()) {
        return base::failed(base::fault::kind::broken, fmt::format("this Kafka would forget: {}. Topics are changed "
                                                                   "with kafka-configs.sh",
                                                                   fmt::join(complaints, "; ")));
    }
    return {};
}

} // namespace semel::kafka
