#pragma once
// Public keys as others publish them (RFC 7517, RFC 7518, RFC 8037), and whether a signature is theirs. Outside bytes.

#include <base/fault.hpp>

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace semel::crypto {

/// What a signature may be made by. None of these has a secret that both sides share.
enum class signature_scheme : unsigned char {
    rs256,   ///< RSASSA-PKCS1-v1_5 over SHA-256
    ps256,   ///< RSASSA-PSS over SHA-256, with a salt of 32 bytes
    es256,   ///< ECDSA on P-256 over SHA-256, raw R || S
    ed25519, ///< RFC 8032
};

/// Numbers are big-endian. Shareable.
class public_key {
  public:
    /// A modulus of 2,048 to 8,192 bits: less is broken, more is slow to no end. `malformed` otherwise.
    static base::result<public_key> rsa(std::string_view modulus, std::string_view exponent);
    /// Coordinates of 32 bytes each; `malformed` for a point that is not on the curve.
    static base::result<public_key> p256(std::string_view x, std::string_view y);
    static base::result<public_key> ed25519(std::string_view bytes);

    /// Whether the key is of the kind that this scheme needs.
    bool fits(signature_scheme) const noexcept;
    /// False for a key of another kind, too.
    bool verifies(signature_scheme, std::string_view bytes, std::string_view signature) const;

  private:
    explicit public_key(std::shared_ptr<evp_pkey_st> key)
        : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

} // namespace semel::crypto
