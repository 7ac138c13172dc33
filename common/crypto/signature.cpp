#include "signature.hpp"

#include <base/bytes.hpp>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <sstream>

namespace semel::crypto {
namespace {

using base::failed;
using base::fault;
using base::result;

result<std::string> sign(EVP_PKEY* key, int type, std::string_view bytes, const char* what) {
    if (EVP_PKEY_get_base_id(key) != type) {
        return failed(fault::kind::broken, std::string{"the private key is of the wrong kind for "} + what);
    }
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::size_t size = 0;
    const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* digest = type == EVP_PKEY_ED25519 ? nullptr : EVP_sha256(); // Ed25519 brings its own
    if (EVP_DigestSignInit(ctx.get(), nullptr, digest, nullptr, key) != 1 ||
        EVP_DigestSign(ctx.get(), nullptr, &size, in, bytes.size()) != 1) {
        return failed(fault::kind::broken, std::string{"OpenSSL refuses to sign with "} + what);
    }
    std::string out(size, '\0');
    if (EVP_DigestSign(ctx.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in, bytes.size()) != 1) {
        return failed(fault::kind::broken, std::string{"OpenSSL refuses to sign with "} + what);
    }
    out.resize(size);
    return out;
}

} // namespace

result<private_key> private_key::from_pem(std::string_view pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        &BIO_free};
    auto* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
    if (key == nullptr) {
        return failed(fault::kind::broken, "not a private key in PEM form (PKCS#8, unencrypted)");
    }
    return private_key{std::shared_ptr<EVP_PKEY>{key, &EVP_PKEY_free}};
}

result<private_key> private_key::from_file(const std::filesystem::path& file) {
    std::ifstream in{file};
    if (!in) {
        return failed(fault::kind::broken, file.string() + ": cannot be read; check the path and its permissions");
    }
    std::ostringstream text;
    text << in.rdbuf();
    auto key = from_pem(text.str());
    return key ? std::move(key) : failed(key.error().within(file.string()));
}

result<std::string> private_key::sign_es256(std::string_view bytes) const {
    auto der = sign(key_.get(), EVP_PKEY_EC, bytes, "ES256");
    if (!der) {
        return der;
    }
    const auto* p = reinterpret_cast<const unsigned char*>(der->data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> sig{
        d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der->size())), &ECDSA_SIG_free};
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), out, 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), out + 32, 32) != 32) {
        return failed(fault::kind::broken, "ES256 needs a P-256 key");
    }
    return raw;
}

result<std::string> private_key::sign_rs256(std::string_view bytes) const {
    return sign(key_.get(), EVP_PKEY_RSA, bytes, "RS256");
}

result<std::string> private_key::sign_ed25519(std::string_view bytes) const {
    return sign(key_.get(), EVP_PKEY_ED25519, bytes, "Ed25519");
}

private_key::kind private_key::what() const noexcept {
    switch (EVP_PKEY_get_base_id(key_.get())) {
    case EVP_PKEY_RSA:
        return kind::rsa;
    case EVP_PKEY_EC:
        return kind::p256;
    case EVP_PKEY_ED25519:
        return kind::ed25519;
    default:
        return kind::other;
    }
}

int private_key::bits() const noexcept {
    return EVP_PKEY_get_bits(key_.get());
}

result<std::string> private_key::public_bytes() const {
    if (what() == kind::ed25519) {
        std::string raw(32, '\0');
        std::size_t size = raw.size();
        if (EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) != 1) {
            return failed(fault::kind::broken, "OpenSSL gives no public key");
        }
        return raw;
    }
    unsigned char* der = nullptr;
    const auto size = i2d_PUBKEY(key_.get(), &der);
    if (size <= 0) {
        return failed(fault::kind::broken, "OpenSSL gives no public key");
    }
    std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return out;
}

result<std::string> jwt_es256(const private_key& key, std::string_view header, std::string_view payload) {
    auto text = base::to_base64url(header) + "." + base::to_base64url(payload);
    const auto signature = key.sign_es256(text);
    return signature ? result<std::string>{text + "." + base::to_base64url(*signature)} : signature;
}

result<std::string> jwt_rs256(const private_key& key, std::string_view header, std::string_view payload) {
    auto text = base::to_base64url(header) + "." + base::to_base64url(payload);
    const auto signature = key.sign_rs256(text);
    return signature ? result<std::string>{text + "." + base::to_base64url(*signature)} : signature;
}

} // namespace semel::crypto
