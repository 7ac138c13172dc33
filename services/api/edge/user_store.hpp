#pragma once
// The api's tables of users and their tokens. Of a token only the SHA-256 is kept.

#include <api/core/accounts.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api::store {

struct token_info {
    std::int64_t number = 0; // names it: the token itself nobody has
    token_scope scope = {};
    std::string made_by;
    std::int64_t made_us = 0;
    std::optional<std::int64_t> expires_us = {}; // nothing: a token of tokens_dir, which stays while its file does
};

struct account {
    std::string name;
    std::vector<role> roles = {};
    bool from_file = false;  // of tokens_dir: named like its role
    bool by_sign_on = false; // who they are, and which roles they have, the provider says
    bool revoked = false;
    std::string added_by;
    std::int64_t added_us = 0;
};

struct account_with_tokens : account {
    std::vector<token_info> tokens = {}; // in force, the oldest first
};

/// What is done with a token that stands in a file.
enum class put : unsigned char { refused, known, taken };
/// Adds or replaces a user of tokens_dir: a token before is known no more. `refused`: it was revoked.
put put_user(pqxx::work&, const std::string& name, role, const std::string& token);
/// The tokens of all other users of tokens_dir are known no more. Answers who is gone.
std::vector<std::string> keep_users(pqxx::work&, const std::vector<std::string>& names);

/// Those in force, by name.
std::vector<account_with_tokens> all_users(pqxx::work&);
/// Whoever it is and was; the row is locked.
std::optional<account> lock_user(pqxx::work&, const std::string& name);
void add_user(pqxx::work&, const std::string& name, const std::vector<role>&, const std::string& by);
/// Who a provider's subject is here; the row is locked.
std::optional<account> lock_person(pqxx::work&, const std::string& issuer, const std::string& subject);
/// False when the name is somebody's, or was: a name stays the person's who had it.
bool add_person(pqxx::work&, const std::string& issuer, const std::string& subject, const std::string& name,
                const std::vector<role>&);
/// Those that the provider gives now, for all sessions of the person.
void replace_roles(pqxx::work&, const std::string& name, const std::vector<role>&);
/// Whoever was revoked is a user again, without tokens.
void set_roles(pqxx::work&, const std::string& name, const std::vector<role>&);
token_info add_token(pqxx::work&, const std::string& name, std::string_view token, const token_scope&,
                     std::chrono::days life, const std::string& by);
/// The user goes, and every token: put_user never takes them again. False for a user who is not there.
bool revoke_user(pqxx::work&, const std::string& name, const std::string& by);
/// One token. False when the user has none of that number in force.
bool end_token(pqxx::work&, const std::string& name, std::int64_t number, const std::string& by);

struct token_owner {
    user who;
    bool expired = false;
    std::string issuer = {}; // of a session of sign-on, which has no token
};
std::optional<token_owner> owner_of_token(pqxx::work&, std::string_view token);
/// As columns of roles are: names with commas between them.
std::vector<role> roles_from(const std::string& list);
/// As PostgreSQL reads a text[].
std::string to_array(const std::vector<role>&);
/// The same for who has kept only the token's SHA-256: a browser's session.
std::optional<token_owner> owner_of_hash(pqxx::work&, const pqxx::binarystring& token_sha256);

} // namespace semel::api::store
