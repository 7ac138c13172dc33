#include "session_store.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>
#include <crypto/seal.hpp>

#include <api/core/browser.hpp>
#include <api/core/sign_on.hpp>

namespace semel::api::store {
namespace {

constexpr std::size_t secret_bytes = 32;

pqxx::binarystring hash_of(std::string_view text) {
    const auto digest = crypto::sha256(text);
    const auto view = base::as_view(digest);
    return {view.data(), view.size()};
}

std::string new_secret() {
    return base::to_base64url(crypto::random_bytes(secret_bytes));
}

/// A session of sign-on goes on as long as its user has rights here.
std::optional<token_owner> owner_of_sign_on(pqxx::work& tx, const pqxx::row& session) {
    const auto name = session["name"].as<std::string>();
    const auto rows = tx.exec_params("SELECT issuer FROM api.users WHERE name = $1 AND revoked IS NULL AND issuer IS "
                                     "NOT NULL",
                                     name);
    if (rows.empty()) {
        return std::nullopt;
    }
    return token_owner{.who = {.name = name,
                               .roles = roles_from(session["roles"].as<std::string>()),
                               .long_signed_in = !session["fresh"].as<bool>()},
                       .issuer = rows[0][0].as<std::string>()};
}

/// Those that would be let in now: what ended with its token, its user or its provider is none.
constexpr const char* sessions_that_hold =
    "SELECT s.number, u.name, t.number AS token, s.peer, s.seen_peer, s.secret_sha256 = $1 AS current, "
    "(extract(epoch FROM s.opened) * 1000000)::bigint AS opened_us, (extract(epoch FROM s.seen) * 1000000)::bigint AS "
    "seen_us, (extract(epoch FROM least(s.opened + $3 * interval '1 second', s.seen + $4 * interval '1 second', "
    "t.expires)) * 1000000)::bigint AS ends_us "
    "FROM api.sessions s LEFT JOIN api.tokens t ON t.token_sha256 = s.token_sha256 "
    "JOIN api.users u ON u.name = coalesce(s.name, t.name) "
    "WHERE u.revoked IS NULL AND s.opened > now() - $3 * interval '1 second' AND s.seen > now() - $4 * interval "
    "'1 second' AND CASE WHEN s.token_sha256 IS NULL THEN u.issuer = $2 ELSE t.ended IS NULL AND "
    "coalesce(t.expires > now(), true) END ";

session_info session_of(const pqxx::row& row) {
    return {.number = row["number"].as<std::int64_t>(),
            .user = row["name"].as<std::string>(),
            .token = row["token"].is_null() ? std::nullopt : std::optional{row["token"].as<std::int64_t>()},
            .opened_us = row["opened_us"].as<std::int64_t>(),
            .seen_us = row["seen_us"].as<std::int64_t>(),
            .ends_us = row["ends_us"].as<std::int64_t>(),
            .from = row["peer"].as<std::string>(),
            .seen_from = row["seen_peer"].as<std::string>(),
            .current = row["current"].as<bool>()};
}

void forget_what_is_over(pqxx::work& tx) {
    tx.exec0("DELETE FROM api.session_codes WHERE expires <= now()");
    tx.exec_params0("DELETE FROM api.sessions WHERE opened <= now() - $1 * interval '1 second' OR seen <= now() - $2 * "
                    "interval '1 second'",
                    browser::session_lasts.count(), browser::idle_at_most.count());
}

} // namespace

void add_session_code(pqxx::work& tx, std::string_view code, std::string_view token) {
    forget_what_is_over(tx);
    tx.exec_params0("INSERT INTO api.session_codes (code_sha256, token_sha256, expires) VALUES ($1, $2, now() + $3 * "
                    "interval '1 second')",
                    hash_of(code), hash_of(token), browser::code_lasts.count());
}

std::optional<opened> open_session(pqxx::work& tx, std::string_view code, const std::string& from) {
    const auto rows = tx.exec_params("DELETE FROM api.session_codes WHERE code_sha256 = $1 RETURNING token_sha256, "
                                     "expires > now() AS holds",
                                     hash_of(code));
    if (rows.empty() || !rows[0]["holds"].as<bool>()) {
        return std::nullopt;
    }
    const pqxx::binarystring token{rows[0]["token_sha256"]};
    auto owner = owner_of_hash(tx, token);
    if (!owner || owner->expired) {
        return std::nullopt;
    }
    opened out{.who = std::move(owner->who), .secret = new_secret()};
    tx.exec_params0("INSERT INTO api.sessions (secret_sha256, token_sha256, peer, seen_peer) VALUES ($1, $2, $3, $3)",
                    hash_of(out.secret), token, from);
    return out;
}

std::string open_sign_on_session(pqxx::work& tx, const std::string& name, const std::vector<role>& roles,
                                 std::optional<base::timestamp> authenticated, const std::string& from) {
    forget_what_is_over(tx);
    auto secret = new_secret();
    constexpr std::int64_t never = -1;
    const auto us = authenticated ? base::to_us(*authenticated) : never;
    // The provider's clock may be a little ahead: nobody signed in later than now. (Of NULL, least() would make now.)
    tx.exec_params0("INSERT INTO api.sessions (secret_sha256, name, roles, authenticated, peer, seen_peer) VALUES ($1, "
                    "$2, $3::text[], CASE WHEN $4::bigint >= 0 THEN least(now(), to_timestamp($4::bigint / 1000000.0)) "
                    "END, $5, $5)",
                    hash_of(secret), name, to_array(roles), us, from);
    return secret;
}

std::optional<token_owner> owner_of_session(pqxx::work& tx, std::string_view secret, use by, const std::string& from) {
    const auto rows = tx.exec_params(
        "SELECT token_sha256, seen < now() - interval '1 minute' AS stale, seen_peer <> $5 AS moved, name, "
        "array_to_string(roles, ',') AS roles, coalesce(authenticated > now() - $4 * interval '1 second', false) AS "
        "fresh FROM api.sessions WHERE secret_sha256 = $1 AND opened > now() - $2 * interval '1 second' AND seen > "
        "now() - $3 * interval '1 second'",
        hash_of(secret), browser::session_lasts.count(), browser::idle_at_most.count(), sign_on::fresh_for.count(),
        from);
    if (rows.empty()) {
        return std::nullopt;
    }
    const bool used = by == use::by_person && rows[0]["stale"].as<bool>(); // not at each request
    if (used || rows[0]["moved"].as<bool>()) {
        tx.exec_params0("UPDATE api.sessions SET seen = CASE WHEN $2::boolean THEN now() ELSE seen END, seen_peer = $3 "
                        "WHERE secret_sha256 = $1",
                        hash_of(secret), used, from);
    }
    return rows[0]["name"].is_null() ? owner_of_hash(tx, pqxx::binarystring{rows[0]["token_sha256"]})
                                     : owner_of_sign_on(tx, rows[0]);
}

void close_session(pqxx::work& tx, std::string_view secret) {
    tx.exec_params0("DELETE FROM api.sessions WHERE secret_sha256 = $1", hash_of(secret));
}

void close_session_of_hash(pqxx::work& tx, std::string_view secret_sha256) {
    tx.exec_params0("DELETE FROM api.sessions WHERE secret_sha256 = $1",
                    pqxx::binarystring{secret_sha256.data(), secret_sha256.size()});
}

std::vector<session_info> open_sessions(pqxx::work& tx, const session_view& as, const std::string& user,
                                        std::int64_t before, std::int64_t limit) {
    std::vector<session_info> out;
    for (const auto& row : tx.exec_params(std::string{sessions_that_hold} +
                                              "AND ($5 = '' OR u.name = $5) AND ($6::bigint = 0 OR s.number < $6) "
                                              "ORDER BY s.number DESC LIMIT $7",
                                          hash_of(as.secret), as.issuer, browser::session_lasts.count(),
                                          browser::idle_at_most.count(), user, before, limit)) {
        out.push_back(session_of(row));
    }
    return out;
}

std::optional<session_info> find_session(pqxx::work& tx, const session_view& as, std::int64_t number) {
    const auto rows = tx.exec_params(std::string{sessions_that_hold} + "AND s.number = $5", hash_of(as.secret),
                                     as.issuer, browser::session_lasts.count(), browser::idle_at_most.count(), number);
    return rows.empty() ? std::nullopt : std::optional{session_of(rows[0])};
}

bool end_session(pqxx::work& tx, std::int64_t number) {
    return tx.exec_params("DELETE FROM api.sessions WHERE number = $1", number).affected_rows() == 1;
}

} // namespace semel::api::store
