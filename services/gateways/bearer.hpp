#pragma once
// JSON Web Tokens as Apple's and Google's servers check them (RFC 7515, 7518, 7519).

#include <http/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace semel::gateways {

class public_key {
  public:
    /// Throws std::runtime_error that names the file.
    explicit public_key(const std::filesystem::path& pem);
    /// ECDSA P-256 over SHA-256, raw R || S.
    bool verifies_es256(std::string_view bytes, std::string_view signature) const;
    /// RSASSA-PKCS1-v1_5 over SHA-256.
    bool verifies_rs256(std::string_view bytes, std::string_view signature) const;

  private:
    bool verifies(std::string_view bytes, std::string_view signature) const;
    std::shared_ptr<evp_pkey_st> key_;
};

struct token {
    json::object header, claims;
};
/// Nothing unless it has three parts, names this algorithm ("ES256", "RS256") and the key made its signature.
std::optional<token> read_token(std::string_view text, std::string_view algorithm, const public_key&);
std::string text_claim(const json::object&, std::string_view key);                 // "" when absent
std::optional<std::int64_t> time_claim(const json::object&, std::string_view key); // seconds since 1970

} // namespace semel::gateways
