#pragma once
// Campaigns that tell the same people again, as text for people. Pure.

#include <http/json.hpp>

#include <string>

namespace semel::cli::campaign {

/// Whose people a follow-up tells again, how many they are, the digest of its rows and the position of the ledger that
/// they come from; nothing for a campaign that stands alone.
std::string follow_up_text(const json::object& campaign);
/// Campaigns of one incident side by side; nothing for an empty object.
std::string incident_text(const json::object& incident);

} // namespace semel::cli::campaign
