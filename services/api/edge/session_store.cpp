#include "session_store.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>
#include <crypto/seal.hpp>

#include <api/core/browser.hpp>

namespace semel::api::store {
namespace {

constexpr std::size_t secret_bytes = 32;

pqxx::binarystring hash_of(std::string_view text) {
    const auto digest = crypto::sha256(text);
    const auto view = base::as_view(digest);
    return {view.data(), view.size()};
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

std::optional<opened> open_session(pqxx::work& tx, std::string_view code) {
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
    opened out{.who = std::move(owner->who), .secret = base::to_base64url(crypto::random_bytes(secret_bytes))};
    tx.exec_params0("INSERT INTO api.sessions (secret_sha256, token_sha256) VALUES ($1, $2)", hash_of(out.secret),
                    token);
    return out;
}

std::optional<token_owner> owner_of_session(pqxx::work& tx, std::string_view secret, use by) {
    const auto rows = tx.exec_params(
        "SELECT token_sha256, seen < now() - interval '1 minute' AS stale FROM api.sessions WHERE secret_sha256 = $1 "
        "AND opened > now() - $2 * interval '1 second' AND seen > now() - $3 * interval '1 second'",
        hash_of(secret), browser::session_lasts.count(), browser::idle_at_most.count());
    if (rows.empty()) {
        return std::nullopt;
    }
    if (by == use::by_person && rows[0]["stale"].as<bool>()) { // not at each request
        tx.exec_params0("UPDATE api.sessions SET seen = now() WHERE secret_sha256 = $1", hash_of(secret));
    }
    return owner_of_hash(tx, pqxx::binarystring{rows[0]["token_sha256"]});
}

void close_session(pqxx::work& tx, std::string_view secret) {
    tx.exec_params0("DELETE FROM api.sessions WHERE secret_sha256 = $1", hash_of(secret));
}

} // namespace semel::api::store
