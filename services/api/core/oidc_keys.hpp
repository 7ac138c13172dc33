#pragma once
// The keys that a provider signs with (JSON Web Key Set, RFC 7517). Pure; outside bytes.

#include <base/fault.hpp>
#include <crypto/public_key.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api::oidc {

inline constexpr std::size_t longest_key_set = std::size_t{256} * 1024;
inline constexpr std::size_t most_keys = 100;
inline constexpr std::size_t longest_kid = 256;

/// RS256, PS256, ES256, EdDSA (also by its newer name Ed25519). Nothing else is one: neither `none` nor HMAC, whose key
/// would be a secret that whoever verifies has as well.
std::optional<crypto::signature_scheme> scheme_from(std::string_view alg) noexcept;

/// What a token says of its signature, and all that is believed of its header.
struct header {
    crypto::signature_scheme scheme{};
    std::string kid; // empty: it names none
};

struct signing_key {
    std::string kid;                                  // empty: it has none
    std::optional<crypto::signature_scheme> only_for; // its `alg`
    crypto::public_key key;
};

struct key_set {
    std::vector<signing_key> keys;

    /// The one key that this can be signed with. nullptr where there is none, and where there are several: nothing says
    /// which.
    const crypto::public_key* find(const header&) const noexcept;
};

/// Keys that are for something else, or of a kind that is not used here, are left out.
base::result<key_set> read_key_set(std::string_view text);

} // namespace semel::api::oidc
