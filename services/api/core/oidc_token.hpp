#pragma once
// An ID token (OpenID Connect Core 1.0, section 2): a signed statement of a provider, who signed in when, for whom.
// Nothing of it is believed before the signature is found right. Pure; outside bytes.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <http/json.hpp>

#include <api/core/oidc_keys.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace semel::api::oidc {

using namespace std::chrono_literals;

inline constexpr std::size_t longest_token = std::size_t{64} * 1024;
inline constexpr std::chrono::seconds skew{60};     // of the provider's clock and ours
inline constexpr std::chrono::seconds at_most{600}; // since it was issued: it has just been fetched
inline constexpr std::size_t longest_subject = 255;

/// Of the provider's answer to a code: its ID token. `permanent`: the code is not good (any more); `broken`: the
/// provider does not take us for its client; `transient`: anything else.
base::result<std::string> read_token_answer(unsigned status, std::string_view body);

/// What the signature is to be verified with. Refuses what brings a key of its own (jwk, jku, x5u, x5c), what asks to
/// understand more (crit), and what says that it is another kind of token.
base::result<header> read_header(std::string_view token);

struct expectations {
    std::string issuer, client_id, nonce;
    base::timestamp now;
    /// The person must have signed in since, not earlier: `max_age=0` was asked for then.
    std::optional<base::timestamp> fresh_since = {};
};

struct claims {
    std::string subject;                          // with the issuer, who it is for ever
    std::optional<base::timestamp> authenticated; // auth_time
    json::object all;
};

/// Why not, in words that hold nothing of the token.
base::result<claims> verify(std::string_view token, const key_set&, const expectations&);

} // namespace semel::api::oidc
