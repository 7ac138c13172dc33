#pragma once
// What a provider of OpenID Connect signs with, and what somebody would sign who is none: keys of each kind as JSON Web
// Keys, tokens with any header and any claims. By OpenSSL alone, so that what verifies is not its own judge.

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace semel::api::test {

class token_maker {
  public:
    static token_maker rsa(int bits = 2'048) {
        return token_maker{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits))};
    }
    static token_maker ec(const char* curve = "P-256") {
        return token_maker{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)};
    }
    static token_maker ed25519() { return token_maker{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")}; }

    /// {"kty": ..., "kid": kid, ...}; `more` as `,"use":"sig"`.
    std::string jwk(std::string_view kid, std::string_view more = {}) const {
        switch (EVP_PKEY_get_base_id(key_.get())) {
        case EVP_PKEY_RSA:
            return fmt::format(R"({{"kty":"RSA","kid":"{}","n":"{}","e":"{}"{}}})", kid, number(OSSL_PKEY_PARAM_RSA_N),
                               number(OSSL_PKEY_PARAM_RSA_E), more);
        case EVP_PKEY_EC:
            return fmt::format(R"({{"kty":"EC","crv":"P-256","kid":"{}","x":"{}","y":"{}"{}}})", kid,
                               number(OSSL_PKEY_PARAM_EC_PUB_X, 32), number(OSSL_PKEY_PARAM_EC_PUB_Y, 32), more);
        default:
            return fmt::format(R"({{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{}"{}}})", kid,
                               base::to_base64url(public_bytes()), more);
        }
    }
    /// Of any bytes, as this `alg` says, whether the key is for it or not.
    std::string signature(std::string_view alg, std::string_view bytes) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
        EVP_PKEY_CTX* how = nullptr;
        const auto* digest = EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
        must(EVP_DigestSignInit(ctx.get(), &how, digest, nullptr, key_.get()));
        if (alg == "PS256") {
            must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING));
            must(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST));
        }
        const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
        std::size_t size = 0;
        must(EVP_DigestSign(ctx.get(), nullptr, &size, in, bytes.size()));
        std::string out(size, '\0');
        must(EVP_DigestSign(ctx.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in, bytes.size()));
        out.resize(size);
        return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC ? raw(out) : out;
    }
    std::string token(std::string_view alg, std::string_view header, std::string_view payload) const {
        const auto text = base::to_base64url(header) + "." + base::to_base64url(payload);
        return text + "." + base::to_base64url(signature(alg, text));
    }
    std::string token(std::string_view alg, std::string_view payload) const {
        return token(alg, fmt::format(R"({{"alg":"{}","kid":"{}"}})", alg, alg), payload);
    }

  private:
    explicit token_maker(EVP_PKEY* key)
        : key_(key, &EVP_PKEY_free) {
        must(key != nullptr ? 1 : 0);
    }
    static void must(int ok) {
        if (ok != 1) {
            throw std::runtime_error{"OpenSSL refuses"};
        }
    }
    std::string number(const char* name, std::size_t bytes = 0) const {
        BIGNUM* n = nullptr;
        must(EVP_PKEY_get_bn_param(key_.get(), name, &n));
        std::string out(bytes == 0 ? static_cast<std::size_t>(BN_num_bytes(n)) : bytes, '\0');
        BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
        BN_free(n);
        return base::to_base64url(out);
    }
    std::string public_bytes() const {
        std::string out(32, '\0');
        std::size_t size = out.size();
        must(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(out.data()), &size));
        return out;
    }
    static std::string raw(const std::string& der) {
        const auto* p = reinterpret_cast<const unsigned char*>(der.data());
        const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts{
            d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())), &ECDSA_SIG_free};
        const auto size = BN_num_bytes(ECDSA_SIG_get0_r(parts.get())) > 32 ? 48 : 32;
        std::string out(2 * static_cast<std::size_t>(size), '\0');
        auto* into = reinterpret_cast<unsigned char*>(out.data());
        BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), into, size);
        BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), into + size, size);
        return out;
    }

    std::shared_ptr<EVP_PKEY> key_;
};

} // namespace semel::api::test
