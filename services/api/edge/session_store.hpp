#pragma once
// Browsers' sessions in PostgreSQL. Of a code and of a session only the SHA-256 is kept, and with it the token that
// asked for the code: a session is worth what that token is worth, and ends with it. One of sign-on has no token; it
// carries its user and roles, and ends with the user.

#include <base/time.hpp>

#include <api/edge/user_store.hpp>

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
/// ended.
std::optional<opened> open_session(pqxx::work&, std::string_view code);

/// The secret of a new session of who has signed on with the provider.
std::string open_sign_on_session(pqxx::work&, const std::string& name, const std::vector<role>&,
                                 std::optional<base::timestamp> authenticated);

enum class use : unsigned char { by_person, by_timer };
/// Whose session it is, and whether the token behind it has ended meanwhile, unless it is over. By a person it begins
/// to be idle anew.
std::optional<token_owner> owner_of_session(pqxx::work&, std::string_view secret, use);
void close_session(pqxx::work&, std::string_view secret);
/// The same by the SHA-256 of its secret; of another length, none.
void close_session_of_hash(pqxx::work&, std::string_view secret_sha256);

} // namespace semel::api::store
