#pragma once
// The api's JSON as text for people. Pure. A field that is missing shows as nothing: an older api has fewer.

#include <http/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace semel::cli::campaign {

std::string campaigns_text(const json::value& list);
/// The counts that an approver signs: what was uploaded and what registering found, wave by wave.
std::string waves_text(const json::object& campaign);
std::string campaign_text(const json::object& campaign);
/// The memory that the campaign takes in Redis, as the answer to a seal says it; nothing where it is not said.
std::string memory_text(const json::object& sealed);
/// When it gives up, and where that comes from; nothing for a campaign of an older version that has no end.
std::string deadline_text(const json::object& campaign);
std::string status_text(const json::object& status);
/// For a log: one line.
std::string status_line(const json::object& status);
std::string report_text(const json::object& report);
/// "line,people": the seven lines of the coverage and their sum.
std::string report_csv(const json::object& report);
/// `raw`: mails as their bytes, not as they read.
std::string story_text(const json::object& story, bool raw = false);
std::string in_doubt_text(const json::value& list);
/// What was sent again while it was in doubt.
std::string resent_text(const json::value& list);
std::string unmatched_text(const json::value& list);
std::string history_text(const json::value& list);
std::string test_addresses_text(const json::value& list);
std::string keys_text(const json::object& keys);

/// The member as text, or nothing.
std::string text_of(const json::object&, std::string_view key);
std::int64_t number_of(const json::object&, std::string_view key);
/// Calls `see` with each object of the list under this name.
void each(const json::object& from, std::string_view key, const std::function<void(const json::object&)>& see);
/// Empty where there is none of its kind; they live as long as what they are of.
const json::object& object_of(const json::object&, std::string_view key);
const json::array& list_of(const json::object&, std::string_view key);
const json::object& as_object(const json::value&);

} // namespace semel::cli::campaign
