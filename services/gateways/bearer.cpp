#include "bearer.hpp"

#include "text.hpp"

#include <fmt/format.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace semel::gateways {

namespace {

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<json::object> read_part(std::string_view part) {
    const auto text = from_base64url(part);
    auto value = text ? json::read(*text) : base::result<json::value>{json::value{}};
    if (!value || !value->is_object()) {
        return std::nullopt;
    }
    return std::move(value->get_object());
}

} // namespace

public_key::public_key(const std::filesystem::path& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> file{BIO_new_file(pem.c_str(), "r"), &BIO_free_all};
    key_.reset(file ? PEM_read_bio_PUBKEY(file.get(), nullptr, nullptr, nullptr) : nullptr, &EVP_PKEY_free);
    if (!key_) {
        throw std::runtime_error{fmt::format("{}: cannot be read as a public key in PEM", pem.string())};
    }
}

bool public_key::verifies(std::string_view bytes, std::string_view signature) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    return EVP_DigestVerifyInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(ctx.get(), octets(signature), signature.size(), octets(bytes), bytes.size()) == 1;
}

bool public_key::verifies_es256(std::string_view bytes, std::string_view signature) const {
    if (EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC || signature.size() != 64) {
        return false;
    }
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both{ECDSA_SIG_new(), &ECDSA_SIG_free};
    ECDSA_SIG_set0(both.get(), BN_bin2bn(octets(signature), 32, nullptr),
                   BN_bin2bn(octets(signature.substr(32)), 32, nullptr));
    unsigned char* der = nullptr; // what OpenSSL checks
    const auto size = i2d_ECDSA_SIG(both.get(), &der);
    const bool good = size > 0 && verifies(bytes, {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return good;
}

bool public_key::verifies_rs256(std::string_view bytes, std::string_view signature) const {
    return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA && verifies(bytes, signature);
}

std::optional<token> read_token(std::string_view text, std::string_view algorithm, const public_key& key) {
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    auto header = read_part(text.substr(0, first));
    auto claims = read_part(text.substr(first + 1, second - first - 1));
    const auto signature = from_base64url(text.substr(second + 1));
    if (!header || !claims || !signature || text_claim(*header, "alg") != algorithm) {
        return std::nullopt;
    }
    const auto signed_part = text.substr(0, second);
    const bool good = algorithm == "ES256" ? key.verifies_es256(signed_part, *signature)
                                           : key.verifies_rs256(signed_part, *signature);
    return good ? std::optional{token{.header = std::move(*header), .claims = std::move(*claims)}} : std::nullopt;
}

std::string text_claim(const json::object& o, std::string_view key) {
    const auto* text = json::find_text(o, key);
    return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

std::optional<std::int64_t> time_claim(const json::object& o, std::string_view key) {
    const auto* value = o.if_contains(key);
    return value != nullptr && value->is_int64() ? std::optional{value->get_int64()} : std::nullopt;
}

} // namespace semel::gateways
