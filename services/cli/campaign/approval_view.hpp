#pragma once
// What waits for an approval, as text for the person who decides. Pure.

#include <http/json.hpp>

#include <string>

namespace semel::cli::campaign {

/// Who made it, how many people and messages, what the check of the notice says, every text, and the digest of it all.
std::string approval_text(const json::object& approval);
/// How many people in how many waves, on one line.
std::string approval_line(const json::object& approval);

} // namespace semel::cli::campaign
