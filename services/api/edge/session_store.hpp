#pragma once
// Browsers' sessions in PostgreSQL. Of a code and of a session only the SHA-256 is kept, and with it the token that
// asked for the code: a session is worth what that token is worth, and ends with it. One of sign-on has no token; it
// carries its user and roles, and ends with the user.

#include <base/time.hpp>

#include <api/edge/user_store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api::store {

/// `token`: the bearer token of whoever asks for the code.
void add_session_code(pqxx::work&, std::string_view code, std::string_view token);

struct opened {
    user who;
    std::string secret; // the new session's; kept nowhere
};
/// Once: the code is gone afterwards. Nothing for one that is not known, is too old, or whose token is gone or has
/// ended. `from`: the address that signs in.
std::optional<opened> open_session(pqxx::work&, std::string_view code, const std::string& from);

/// The secret of a new session of who has signed on with the provider.
std::string open_sign_on_session(pqxx::work&, const std::string& name, const std::vector<role>&,
                                 std::optional<base::timestamp> authenticated, const std::string& from);

enum class use : unsigned char { by_person, by_timer };
/// Whose session it is, and whether the token behind it has ended meanwhile, unless it is over. By a person it begins
/// to be idle anew. `from`: the address that asks, which is noted with it.
std::optional<token_owner> owner_of_session(pqxx::work&, std::string_view secret, use, const std::string& from);
void close_session(pqxx::work&, std::string_view secret);
/// The same by the SHA-256 of its secret; of another length, none.
void close_session_of_hash(pqxx::work&, std::string_view secret_sha256);

/// A session that is not over, without what opens it.
struct session_info {
    std::int64_t number = 0; // names it
    std::string user;
    std::optional<std::int64_t> token = {}; // that asked for its code; nothing: signed on with the provider
    std::int64_t opened_us = 0;
    std::int64_t seen_us = 0;    // a person used it; to the minute
    std::int64_t ends_us = 0;    // unless somebody uses it before
    std::string from, seen_from; // the address that signed in, and that of the latest request; empty: not noted
    bool current = false;        // whoever asks does so by it
};
/// As whom the sessions are looked at.
struct session_view {
    std::string secret; // of the session by which somebody asks; empty: by none
    std::string issuer; // the provider of today: what another one signed in is over
};
/// Of this user, or everybody's for an empty name; the latest first. `before`: only lower numbers, unless 0.
std::vector<session_info> open_sessions(pqxx::work&, const session_view&, const std::string& user, std::int64_t before,
                                        std::int64_t limit);
std::optional<session_info> find_session(pqxx::work&, const session_view&, std::int64_t number);
/// False: it was over.
bool end_session(pqxx::work&, std::int64_t number);

} // namespace semel::api::store
