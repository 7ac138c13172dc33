#include "topics.hpp"

namespace semel::wire {

std::string dispatch(base::channel c) {
    return "dispatch." + std::string{base::to_string(c)};
}

std::string retry(base::channel c, std::size_t tier) {
    return "retry." + std::string{base::to_string(c)} + "." + std::string{tiers.at(tier).name};
}

std::string parked(base::channel c) {
    return "retry." + std::string{base::to_string(c)} + ".parked";
}

namespace {

constexpr std::array channels{base::channel::email, base::channel::push, base::channel::sms};

std::vector<std::string> dispatch_topics(base::channel c) {
    std::vector<std::string> names{dispatch(c)};
    for (std::size_t i = 0; i < tiers.size(); ++i) {
        names.push_back(retry(c, i));
    }
    names.push_back(parked(c));
    return names;
}

} // namespace

std::vector<base::topic_spec> all_topics(std::int32_t partitions) {
    const std::map<std::string, std::string> for_ever{{"retention.ms", "-1"}, {"retention.bytes", "-1"}};
    const auto plain = [&](std::string_view name, std::int32_t n) {
        return base::topic_spec{.name = std::string{name}, .partitions = n, .compacted = false, .config = for_ever};
    };
    const auto compacted = [&](std::string_view name, std::int32_t n) {
        return base::topic_spec{.name = std::string{name}, .partitions = n, .compacted = true, .config = {}};
    };
    // Read back whole at each assignment: what was settled must not stay for the broker's week and gigabyte. Kafka
    // compacts only segments that are closed.
    auto state = compacted(doubts, partitions);
    state.config = {{"segment.bytes", "16777216"},
                    {"segment.ms", "600000"},
                    {"min.cleanable.dirty.ratio", "0.1"},
                    {"max.compaction.lag.ms", "600000"},
                    {"delete.retention.ms", "600000"}};
    // The broker's clock, and not each dispatcher's, says how long a doubt is open.
    auto told = plain(events, partitions);
    told.config.emplace("message.timestamp.type", "LogAppendTime");
    // One partition, and so one broker's clock for all.
    const base::topic_spec clock{.name = std::string{ticks},
                                 .partitions = 1,
                                 .compacted = false,
                                 .config = {{"message.timestamp.type", "LogAppendTime"},
                                            {"retention.ms", "600000"},
                                            {"segment.ms", "600000"},
                                            {"segment.bytes", "1048576"}}};
    std::vector<base::topic_spec> topics{compacted(control, 1),
                                         compacted(notices, 1),
                                         compacted(artifacts, 1),
                                         compacted(progress, partitions),
                                         state,
                                         plain(intake_work, partitions),
                                         plain(feedback, 1),
                                         plain(audience, partitions),
                                         told,
                                         plain(gateway_receipts, partitions),
                                         clock,
                                         plain(dead_letter, 1)};
    for (const auto c : channels) {
        for (const auto& name : dispatch_topics(c)) {
            topics.push_back(plain(name, partitions));
        }
    }
    return topics;
}

std::vector<subscription> all_subscriptions() {
    std::vector<subscription> all{{"intake", {std::string{intake_work}}},
                                  {"plan-register", {std::string{audience}}},
                                  {"plan", {std::string{audience}}},
                                  {"render", {std::string{notices}}},
                                  {"receipts", {std::string{events}, std::string{gateway_receipts}}},
                                  {"ledger", {std::string{events}}},
                                  {"api", {std::string{feedback}}}};
    for (const auto c : channels) {
        all.push_back({std::string{base::to_string(c)}, dispatch_topics(c)});
    }
    return all;
}

} // namespace semel::wire
