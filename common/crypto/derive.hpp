#pragma once
// One secret, one purpose: keys for everything else are derived (HKDF, RFC 5869), so that what one of them gives away
// says nothing about another.

#include <crypto/seal.hpp>

#include <string_view>

namespace semel::crypto {

/// HKDF-SHA-256 with an empty salt: for secrets that are already 32 random bytes. `purpose` must differ for every use.
key256 derive(const key256& secret, std::string_view purpose);

/// The bare function, for its test vectors.
key256 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info);

} // namespace semel::crypto
