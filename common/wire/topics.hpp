#pragma once
// The topics, their keys and their partitions: one place, so that writers and readers cannot differ.

#include <base/ids.hpp>
#include <base/topic_spec.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace semel::wire {

inline constexpr std::string_view control = "control";         // Campaign by campaign id; 1 partition, compacted
inline constexpr std::string_view notices = "notices";         // NoticeSource by digest; 1, compacted
inline constexpr std::string_view artifacts = "artifacts";     // Artifact by id; 1, compacted
inline constexpr std::string_view intake_work = "intake.work"; // ImportOrder by campaign id
inline constexpr std::string_view progress = "progress";       // Progress; compacted
inline constexpr std::string_view feedback = "feedback";       // Feedback by campaign id; 1
inline constexpr std::string_view audience = "audience";       // AudienceRecord; partition = chunk mod partitions
inline constexpr std::string_view events = "events";           // EventBatch
inline constexpr std::string_view gateway_receipts = "gateway.receipts"; // GatewayReceipt
inline constexpr std::string_view doubts = "doubts";                     // Doubt by notification; compacted
inline constexpr std::string_view ticks = "ticks"; // empty records, for the time of their append; 1, kept for minutes
inline constexpr std::string_view dead_letter = "dead-letter"; // what could not be parsed, sealed as it came; 1

std::string dispatch(base::channel); // "dispatch.email"
struct tier {
    std::string_view name;
    std::chrono::seconds wait;
};
inline constexpr std::array<tier, 4> tiers{{{"10s", std::chrono::seconds{10}},
                                            {"1m", std::chrono::seconds{60}},
                                            {"10m", std::chrono::seconds{600}},
                                            {"1h", std::chrono::seconds{3600}}}};
std::string retry(base::channel, std::size_t tier); // "retry.email.10s"
/// "retry.email.parked": what waits until its campaign is no longer paused. Lies there and is not read again.
std::string parked(base::channel);

/// Everything `semel up` creates. `audience`, dispatch.*, retry.* and events keep their records for ever
/// (retention.ms -1): Kafka must not forget while a campaign lives. Only `ticks` nobody reads.
std::vector<base::topic_spec> all_topics(std::int32_t partitions);

/// Who reads what by group; first offsets are written for each pair at topic creation.
struct subscription {
    std::string group;
    std::vector<std::string> topics;
};
std::vector<subscription> all_subscriptions();
// groups: "intake" {intake.work}, "plan-register" {audience}, "plan" {audience}, "render" {notices},
// "email"/"push"/"sms" {dispatch.X, retry.X.*}, "receipts" {events, gateway.receipts}, "ledger" {events}, "api"
// {feedback}

} // namespace semel::wire
