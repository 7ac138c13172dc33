#include "public_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

namespace semel::crypto {
namespace {

using base::failed;
using base::fault;
using base::result;

constexpr int least_modulus_bits = 2'048;
constexpr int most_modulus_bits = 8'192;
constexpr int most_exponent_bits = 33;
constexpr std::size_t coordinate_bytes = 32;

template <auto Free>
struct freed {
    template <class T>
    void operator()(T* what) const noexcept {
        Free(what);
    }
};
using number = std::unique_ptr<BIGNUM, freed<&BN_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed<&EVP_PKEY_CTX_free>>;
using shared_key = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

number number_of(std::string_view bytes) {
    return number{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

/// What OpenSSL noted of a refusal must not be found by whoever looks for its own next.
result<shared_key> refused(const char* why) {
    ERR_clear_error();
    return failed(fault::kind::malformed, why);
}

result<shared_key> key_from(const char* type, OSSL_PARAM* params, const char* complaint) {
    const key_context making{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* made = nullptr;
    if (!making || EVP_PKEY_fromdata_init(making.get()) != 1 ||
        EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return refused(complaint);
    }
    return shared_key{made, &EVP_PKEY_free};
}

/// R || S as OpenSSL wants them. Empty for another length.
std::string der_of(std::string_view raw) {
    if (raw.size() != 2 * coordinate_bytes) {
        return {};
    }
    const std::unique_ptr<ECDSA_SIG, freed<&ECDSA_SIG_free>> parts{ECDSA_SIG_new()};
    auto r = number_of(raw.substr(0, coordinate_bytes));
    auto s = number_of(raw.substr(coordinate_bytes));
    if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) {
        return {};
    }
    static_cast<void>(r.release()); // they are the signature's now
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const auto size = i2d_ECDSA_SIG(parts.get(), &der);
    if (size <= 0) {
        return {};
    }
    std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return out;
}

bool with_padding_of(signature_scheme scheme, EVP_PKEY_CTX* how) {
    switch (scheme) {
    case signature_scheme::rs256:
        return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PADDING) == 1;
    case signature_scheme::ps256:
        return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    default:
        return true;
    }
}

} // namespace

result<public_key> public_key::rsa(std::string_view modulus, std::string_view exponent) {
    constexpr std::size_t most_bytes = most_modulus_bits / 8 + 1;
    if (modulus.size() > most_bytes || exponent.size() > most_bytes) {
        return failed(fault::kind::malformed, "an RSA key of more than 8,192 bits");
    }
    const auto n = number_of(modulus), e = number_of(exponent);
    if (!n || !e || BN_num_bits(n.get()) < least_modulus_bits || BN_num_bits(n.get()) > most_modulus_bits) {
        return failed(fault::kind::malformed, "an RSA key has 2,048 to 8,192 bits");
    }
    if (BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0 ||
        BN_num_bits(e.get()) > most_exponent_bits) {
        return failed(fault::kind::malformed, "an RSA key with numbers that none has");
    }
    const std::unique_ptr<OSSL_PARAM_BLD, freed<&OSSL_PARAM_BLD_free>> parts{OSSL_PARAM_BLD_new()};
    if (!parts || OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return failed(fault::kind::broken, "OpenSSL makes no RSA key");
    }
    const std::unique_ptr<OSSL_PARAM, freed<&OSSL_PARAM_free>> params{OSSL_PARAM_BLD_to_param(parts.get())};
    auto key = key_from("RSA", params.get(), "no RSA key");
    return key ? result<public_key>{public_key{*std::move(key)}} : failed(key.error());
}

result<public_key> public_key::p256(std::string_view x, std::string_view y) {
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
        return failed(fault::kind::malformed, "a P-256 key has two coordinates of 32 bytes");
    }
    std::string point{"\x04"};
    point.append(x).append(y);
    std::string group{"P-256"};
    std::array params{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                      OSSL_PARAM_construct_end()};
    constexpr const char* complaint = "a point that is not on P-256";
    auto key = key_from("EC", params.data(), complaint);
    const key_context checking{key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key->get(), nullptr) : nullptr};
    if (key && (!checking || EVP_PKEY_public_check(checking.get()) != 1)) {
        key = refused(complaint);
    }
    return key ? result<public_key>{public_key{*std::move(key)}} : failed(key.error());
}

result<public_key> public_key::ed25519(std::string_view bytes) {
    auto* key = bytes.size() == 32
                    ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes), bytes.size())
                    : nullptr;
    if (key == nullptr) {
        ERR_clear_error();
        return failed(fault::kind::malformed, "an Ed25519 key has 32 bytes");
    }
    return public_key{shared_key{key, &EVP_PKEY_free}};
}

bool public_key::fits(signature_scheme scheme) const noexcept {
    const auto kind = EVP_PKEY_get_base_id(key_.get());
    switch (scheme) {
    case signature_scheme::rs256:
    case signature_scheme::ps256:
        return kind == EVP_PKEY_RSA;
    case signature_scheme::es256:
        return kind == EVP_PKEY_EC;
    case signature_scheme::ed25519:
        return kind == EVP_PKEY_ED25519;
    }
    return false;
}

bool public_key::verifies(signature_scheme scheme, std::string_view bytes, std::string_view signature) const {
    if (!fits(scheme)) {
        return false;
    }
    const auto given = scheme == signature_scheme::es256 ? der_of(signature) : std::string{signature};
    const auto* digest = scheme == signature_scheme::ed25519 ? nullptr : EVP_sha256(); // Ed25519 brings its own
    const std::unique_ptr<EVP_MD_CTX, freed<&EVP_MD_CTX_free>> ctx{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* how = nullptr; // the other's
    const bool holds = !given.empty() && ctx &&
                       EVP_DigestVerifyInit(ctx.get(), &how, digest, nullptr, key_.get()) == 1 &&
                       with_padding_of(scheme, how) &&
                       EVP_DigestVerify(ctx.get(), bytes_of(given), given.size(), bytes_of(bytes), bytes.size()) == 1;
    ERR_clear_error();
    return holds;
}

} // namespace semel::crypto
