#pragma once
// What a provider of OpenID Connect says of itself (OpenID Connect Discovery 1.0). Pure; outside bytes.

#include <base/fault.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace semel::api::oidc {

inline constexpr std::size_t longest_document = std::size_t{64} * 1024;

/// Where something is asked for, in the two parts that a client takes.
struct place {
    std::string base;   // "https://login.example.com"
    std::string target; // "/token", with its query if it has one
};

struct provider {
    std::string issuer;
    std::string authorization; // the whole address, for a browser
    place token, keys;
    bool secret_in_body = false; // it takes no Basic authentication
    bool names_itself = false;   // RFC 9207: its answers carry `iss`
};

/// Where the document of an issuer is found.
base::result<place> document_of(std::string_view issuer);
/// `malformed` for what is no such document, or one of another issuer; `broken` for a provider that lacks what is used
/// here: the code flow, PKCE with S256. Addresses are https, or http where the issuer itself is (on this machine).
base::result<provider> read_provider(std::string_view text, std::string_view issuer);

/// The address with this query behind its own.
std::string with_query(std::string_view address, std::string_view query);

} // namespace semel::api::oidc
