#include "scram.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <optional>
#include <stdexcept>

namespace semel::kafka {

using base::failed;
using base::fault;

namespace {

constexpr int most_iterations = 1'000'000; // Kafka's own upper bound is 16,384

const EVP_MD* digest_of(scram::hash h) {
    return h == scram::hash::sha_512 ? EVP_sha512() : EVP_sha256();
}

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string sized(scram::hash h) {
    return std::string(static_cast<std::size_t>(EVP_MD_get_size(digest_of(h))), '\0');
}

std::string hmac(scram::hash h, std::string_view key, std::string_view text) {
    auto out = sized(h);
    if (HMAC(digest_of(h), key.data(), static_cast<int>(key.size()), raw(text), text.size(),
             reinterpret_cast<unsigned char*>(out.data()), nullptr) == nullptr) {
        throw std::runtime_error{"OpenSSL computes no HMAC"};
    }
    return out;
}

std::string hashed(scram::hash h, std::string_view text) {
    auto out = sized(h);
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, digest_of(h),
                   nullptr) != 1) {
        throw std::runtime_error{"OpenSSL computes no digest"};
    }
    return out;
}

std::string salted(scram::hash h, std::string_view password, std::string_view salt, int iterations) {
    auto out = sized(h);
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt), static_cast<int>(salt.size()),
                          iterations, digest_of(h), static_cast<int>(out.size()),
                          reinterpret_cast<unsigned char*>(out.data())) != 1) {
        throw std::runtime_error{"OpenSSL derives no key"};
    }
    return out;
}

/// A comma and an equals sign would end the name.
std::string escaped(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += c == ',' ? "=2C" : c == '=' ? "=3D" : std::string{c};
    }
    return out;
}

/// The value of "x=value" between commas.
std::optional<std::string_view> attribute(std::string_view message, char name) {
    while (!message.empty()) {
        const auto end = message.find(',');
        const auto one = message.substr(0, end);
        if (one.size() > 1 && one[0] == name && one[1] == '=') {
            return one.substr(2);
        }
        message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    }
    return std::nullopt;
}

} // namespace

scram::scram(hash h, std::string user, std::string password, std::string nonce)
    : hash_(h)
    , user_(std::move(user))
    , password_(std::move(password))
    , nonce_(std::move(nonce)) {}

std::string scram::first() const {
    return fmt::format("n,,n={},r={}", escaped(user_), nonce_);
}

base::result<std::string> scram::answer(std::string_view server_first) {
    const auto nonce = attribute(server_first, 'r');
    const auto salt_text = attribute(server_first, 's');
    const auto rounds = attribute(server_first, 'i');
    const auto salt = salt_text ? base::from_base64(*salt_text) : std::nullopt;
    int iterations = 0;
    if (rounds) {
        std::from_chars(rounds->data(), rounds->data() + rounds->size(), iterations);
    }
    if (!nonce || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size() || !salt || salt->empty() ||
        iterations < 1 || iterations > most_iterations) {
        return failed(fault::kind::malformed, "the server's part of the SCRAM exchange is not one");
    }
    const auto key = salted(hash_, password_, *salt, iterations);
    const auto client_key = hmac(hash_, key, "Client Key");
    const auto without_proof = fmt::format("c=biws,r={}", *nonce); // biws: "n,,", there is no channel binding
    const auto all = fmt::format("{},{},{}", std::string_view{first()}.substr(3), server_first, without_proof);
    auto proof = hmac(hash_, hashed(hash_, client_key), all);
    for (std::size_t i = 0; i < proof.size(); ++i) {
        proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
    }
    server_signature_ = base::to_base64(hmac(hash_, hmac(hash_, key, "Server Key"), all));
    return fmt::format("{},p={}", without_proof, base::to_base64(proof));
}

base::result<void> scram::check(std::string_view server_final) const {
    if (const auto signature = attribute(server_final, 'v');
        !signature || server_signature_.empty() || *signature != server_signature_) {
        return failed(fault::kind::broken, "the server does not prove that it knows the password (SCRAM)");
    }
    return {};
}

} // namespace semel::kafka
