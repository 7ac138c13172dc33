#pragma once
// Signatures of JSON Web Tokens (RFC 7515): ES256 for APNs, RS256 for Google's token endpoint; and of mails (DKIM).

#include <base/fault.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace semel::crypto {

/// A private key from a PEM file (PKCS#8, as Apple's .p8 and Google's service accounts have it). Shareable.
class private_key {
  public:
    static base::result<private_key> from_pem(std::string_view pem);
    static base::result<private_key> from_file(const std::filesystem::path& file);

    /// RFC 7518 section 3.4: ECDSA P-256 over SHA-256, raw R || S, 64 bytes.
    base::result<std::string> sign_es256(std::string_view bytes) const;
    /// RFC 7518 section 3.3: RSASSA-PKCS1-v1_5 over SHA-256.
    base::result<std::string> sign_rs256(std::string_view bytes) const;
    /// RFC 8032: Ed25519 over the bytes themselves, 64 bytes.
    base::result<std::string> sign_ed25519(std::string_view bytes) const;

    enum class kind : unsigned char { rsa, p256, ed25519, other };
    kind what() const noexcept;
    int bits() const noexcept;
    /// As DKIM publishes it (RFC 6376, RFC 8463): SubjectPublicKeyInfo of an RSA key, the 32 bytes of an Ed25519 key.
    base::result<std::string> public_bytes() const;

  private:
    explicit private_key(std::shared_ptr<evp_pkey_st> key)
        : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

/// header.payload.signature; both arguments are JSON texts.
base::result<std::string> jwt_es256(const private_key& key, std::string_view header, std::string_view payload);
base::result<std::string> jwt_rs256(const private_key& key, std::string_view header, std::string_view payload);

} // namespace semel::crypto
