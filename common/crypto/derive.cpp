#include "derive.hpp"

#include "hash.hpp"

#include <openssl/crypto.h>

#include <string>

namespace semel::crypto {

key256 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info) {
    // RFC 5869: extract, then the one round of expand that 32 bytes need. No salt is a salt of zeros.
    const std::string none(32, '\0');
    auto extracted = hmac_sha256(salt.empty() ? none : salt, secret);
    auto expanded = hmac_sha256(base::as_view(extracted), std::string{info} + '\x01');
    const key256 made{expanded};
    OPENSSL_cleanse(extracted.data(), extracted.size());
    OPENSSL_cleanse(expanded.data(), expanded.size());
    return made;
}

key256 derive(const key256& secret, std::string_view purpose) {
    return hkdf_sha256(secret.view(), {}, purpose);
}

} // namespace semel::crypto
