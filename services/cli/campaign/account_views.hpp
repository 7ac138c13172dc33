#pragma once
// Who may do what, and who looked at whom: the api's JSON as text for people. Pure.

#include <http/json.hpp>

#include <string>

namespace semel::cli::campaign {

/// A page of the record, the latest first, and how the next one is asked for.
std::string lookups_text(const json::object& page);

/// As lookups_text: what somebody decided.
std::string decisions_text(const json::object& page);

/// Each user with the roles, and the tokens in force with their ends.
std::string users_text(const json::value& list);
/// Browsers' sessions, the latest first: whose, by what, until when unless used, and from where.
std::string sessions_text(const json::object& page);
/// As lookups_text: who was let in, kept out, given rights and lost them.
std::string access_events_text(const json::object& page);

} // namespace semel::cli::campaign
