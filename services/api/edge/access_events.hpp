#pragma once
// The record of who was let in, kept out, given rights and lost them. Whatever changes rights is noted in the same
// transaction; refusals are noted before they are answered.

#include <api/edge/api.hpp>

#include <cstdint>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

struct access_event {
    std::string actor;      // who did it, or was refused; empty: nobody knows
    std::string from;       // the address that asked; empty: the api itself, at its start
    std::string what;       // "signed_in", "signed_out", "session_ended", "denied", "user_added", "roles_changed",
                            // "token_made", "token_ended", "user_revoked"
    std::string about = {}; // whose rights
    std::string text = {};  // in words
    std::int64_t times = 1;
};

/// The caller commits.
void note(pqxx::work&, const access_event&);
/// A refusal. Where it cannot be noted, the log has it all the same.
boost::asio::awaitable<void> note_denial(services&, access_event);
/// At the api's start, when the ledger may not have made its tables yet.
bool can_note_access(pqxx::work&);
/// Of who signs in or out: nobody is kept out because the ledger has not made its tables.
void note_if_possible(pqxx::work&, const access_event&);

void add_access_event_routes(guarded_routes&, services&);

} // namespace semel::api
