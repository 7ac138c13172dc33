#include "user_store.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>

#include <algorithm>
#include <map>

namespace semel::api::store {
namespace {

constexpr const char* folder = "tokens_dir";

pqxx::binarystring hash_of(std::string_view token) {
    const auto digest = crypto::sha256(token);
    const auto view = base::as_view(digest);
    return {view.data(), view.size()};
}

/// Of names that stand for themselves: no quotes are needed.
std::string array_of(const std::vector<std::string>& names) {
    std::string out = "{";
    for (const auto& name : names) {
        out += (out.size() > 1 ? "," : "") + name;
    }
    return out + "}";
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> out;
    for (std::size_t from = 0; from < list.size();) {
        const auto comma = std::min(list.find(',', from), list.size());
        out.push_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return out;
}

/// A scope that this version does not understand lets nothing change, and no role through.
token_scope scope_in(const std::string& list) {
    const auto known = read_scope(split(list));
    return known ? *known : token_scope{.roles = {role::product}, .read_only = true};
}

account account_of(const pqxx::row& row) {
    return {.name = row["name"].as<std::string>(),
            .roles = roles_from(row["roles"].as<std::string>()),
            .from_file = row["from_file"].as<bool>(),
            .by_sign_on = row["by_sign_on"].as<bool>(),
            .revoked = row["revoked"].as<bool>(),
            .added_by = row["added_by"].as<std::string>(),
            .added_us = row["added_us"].as<std::int64_t>()};
}

token_info token_of(const pqxx::row& row) {
    return {.number = row["number"].as<std::int64_t>(),
            .scope = scope_in(row["scope"].as<std::string>()),
            .made_by = row["made_by"].as<std::string>(),
            .made_us = row["made_us"].as<std::int64_t>(),
            .expires_us =
                row["expires_us"].is_null() ? std::nullopt : std::optional{row["expires_us"].as<std::int64_t>()}};
}

constexpr const char* account_columns =
    "name, array_to_string(roles, ',') AS roles, from_file, issuer IS NOT NULL AS by_sign_on, revoked IS NOT NULL AS "
    "revoked, added_by, "
    "(extract(epoch FROM added) * 1000000)::bigint AS added_us";
constexpr const char* token_columns =
    "number, array_to_string(scope, ',') AS scope, made_by, (extract(epoch FROM made) * 1000000)::bigint AS made_us, "
    "(extract(epoch FROM expires) * 1000000)::bigint AS expires_us";

} // namespace

/// A role of a newer version gives nothing here.
std::vector<role> roles_from(const std::string& list) {
    std::vector<role> out;
    for (const auto& name : split(list)) {
        if (const auto known = role_from(name)) {
            out.push_back(*known);
        }
    }
    return out;
}

std::string to_array(const std::vector<role>& roles) {
    return array_of(names_of(roles));
}

put put_user(pqxx::work& tx, const std::string& name, role r, const std::string& token) {
    const auto hash = hash_of(token);
    if (!tx.exec_params("SELECT 1 FROM api.revoked_tokens WHERE token_sha256 = $1", hash).empty()) {
        return put::refused;
    }
    const auto roles = array_of({std::string{to_string(r)}});
    const auto same = tx.exec_params("SELECT 1 FROM api.users u JOIN api.tokens t USING (name) WHERE u.name = $1 AND "
                                     "u.revoked IS NULL AND u.roles = $2::text[] AND t.token_sha256 = $3 AND t.ended "
                                     "IS NULL",
                                     name, roles, hash);
    if (!same.empty()) {
        return put::known;
    }
    tx.exec_params0("INSERT INTO api.users (name, roles, from_file, added_by) VALUES ($1, $2::text[], true, $3) "
                    "ON CONFLICT (name) DO UPDATE SET roles = $2::text[], revoked = NULL",
                    name, roles, folder);
    tx.exec_params0("UPDATE api.tokens SET ended = now(), ended_by = $3 WHERE name = $1 AND ended IS NULL AND "
                    "token_sha256 <> $2",
                    name, hash, folder);
    tx.exec_params0("INSERT INTO api.tokens (token_sha256, name, made_by) VALUES ($1, $2, $3) "
                    "ON CONFLICT (token_sha256) DO UPDATE SET name = $2, ended = NULL, ended_by = NULL",
                    hash, name, folder);
    return put::taken;
}

std::vector<std::string> keep_users(pqxx::work& tx, const std::vector<std::string>& names) {
    std::vector<std::string> gone;
    for (const auto& row :
         tx.exec_params("UPDATE api.users SET revoked = now() WHERE from_file AND revoked IS NULL AND "
                        "NOT name = ANY($1::text[]) RETURNING name",
                        array_of(names))) {
        gone.push_back(row[0].as<std::string>());
    }
    tx.exec_params0("UPDATE api.tokens SET ended = now(), ended_by = $2 WHERE ended IS NULL AND name = ANY($1::text[])",
                    array_of(gone), folder);
    return gone;
}

std::vector<account_with_tokens> all_users(pqxx::work& tx) {
    std::map<std::string, std::vector<token_info>> tokens;
    for (const auto& row : tx.exec(std::string{"SELECT name, "} + token_columns +
                                   " FROM api.tokens WHERE ended IS NULL ORDER BY number")) {
        tokens[row["name"].as<std::string>()].push_back(token_of(row));
    }
    std::vector<account_with_tokens> out;
    for (const auto& row :
         tx.exec(std::string{"SELECT "} + account_columns + " FROM api.users WHERE revoked IS NULL ORDER BY name")) {
        account_with_tokens one{account_of(row)};
        one.tokens = std::move(tokens[one.name]);
        out.push_back(std::move(one));
    }
    return out;
}

std::optional<account> lock_user(pqxx::work& tx, const std::string& name) {
    const auto rows =
        tx.exec_params(std::string{"SELECT "} + account_columns + " FROM api.users WHERE name = $1 FOR UPDATE", name);
    return rows.empty() ? std::nullopt : std::optional{account_of(rows[0])};
}

void add_user(pqxx::work& tx, const std::string& name, const std::vector<role>& roles, const std::string& by) {
    tx.exec_params0("INSERT INTO api.users (name, roles, added_by) VALUES ($1, $2::text[], $3)", name, to_array(roles),
                    by);
}

std::optional<account> lock_person(pqxx::work& tx, const std::string& issuer, const std::string& subject) {
    const auto rows = tx.exec_params(std::string{"SELECT "} + account_columns +
                                         " FROM api.users WHERE issuer = $1 AND subject = $2 FOR UPDATE",
                                     issuer, subject);
    return rows.empty() ? std::nullopt : std::optional{account_of(rows[0])};
}

bool add_person(pqxx::work& tx, const std::string& issuer, const std::string& subject, const std::string& name,
                const std::vector<role>& roles) {
    return tx.exec_params("INSERT INTO api.users (name, roles, added_by, issuer, subject) VALUES ($1, $2::text[], "
                          "'sign-on', $3, $4) ON CONFLICT DO NOTHING",
                          name, to_array(roles), issuer, subject)
               .affected_rows() == 1;
}

void replace_roles(pqxx::work& tx, const std::string& name, const std::vector<role>& roles) {
    tx.exec_params0("UPDATE api.users SET roles = $2::text[] WHERE name = $1", name, to_array(roles));
    tx.exec_params0("UPDATE api.sessions SET roles = $2::text[] WHERE name = $1", name, to_array(roles));
}

void set_roles(pqxx::work& tx, const std::string& name, const std::vector<role>& roles) {
    tx.exec_params0("UPDATE api.users SET roles = $2::text[], revoked = NULL WHERE name = $1", name, to_array(roles));
}

token_info add_token(pqxx::work& tx, const std::string& name, std::string_view token, const token_scope& scope,
                     std::chrono::days life, const std::string& by) {
    return token_of(tx.exec_params1(std::string{"INSERT INTO api.tokens (token_sha256, name, scope, made_by, expires) "
                                                "VALUES ($1, $2, $3::text[], $4, now() + $5 * interval '1 day') "
                                                "RETURNING "} +
                                        token_columns,
                                    hash_of(token), name, array_of(names_of(scope)), by, life.count()));
}

bool revoke_user(pqxx::work& tx, const std::string& name, const std::string& by) {
    if (tx.exec_params("UPDATE api.users SET revoked = now() WHERE name = $1 AND revoked IS NULL", name)
            .affected_rows() == 0) {
        return false;
    }
    tx.exec_params0(
        "WITH gone AS (UPDATE api.tokens SET ended = now(), ended_by = $2 WHERE name = $1 AND ended IS NULL "
        "RETURNING token_sha256) "
        "INSERT INTO api.revoked_tokens (token_sha256, name, revoked_by) SELECT token_sha256, $1, $2 FROM "
        "gone ON CONFLICT DO NOTHING",
        name, by);
    return true;
}

bool end_token(pqxx::work& tx, const std::string& name, std::int64_t number, const std::string& by) {
    return tx.exec_params("WITH gone AS (UPDATE api.tokens SET ended = now(), ended_by = $3 WHERE name = $1 AND number "
                          "= $2 AND ended IS NULL RETURNING token_sha256) "
                          "INSERT INTO api.revoked_tokens (token_sha256, name, revoked_by) SELECT token_sha256, $1, $3 "
                          "FROM gone ON CONFLICT DO NOTHING",
                          name, number, by)
               .affected_rows() != 0;
}

std::optional<token_owner> owner_of_token(pqxx::work& tx, std::string_view token) {
    return owner_of_hash(tx, hash_of(token));
}

std::optional<token_owner> owner_of_hash(pqxx::work& tx, const pqxx::binarystring& token_sha256) {
    const auto rows = tx.exec_params("SELECT u.name, array_to_string(u.roles, ','), array_to_string(t.scope, ','), "
                                     "coalesce(t.expires <= now(), false) FROM api.tokens t JOIN api.users u USING "
                                     "(name) WHERE t.token_sha256 = $1 AND t.ended IS NULL AND u.revoked IS NULL",
                                     token_sha256);
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto& row = rows[0];
    return token_owner{.who = within(scope_in(row[2].as<std::string>()), row[0].as<std::string>(),
                                     roles_from(row[1].as<std::string>())),
                       .expired = row[3].as<bool>()};
}

} // namespace semel::api::store
