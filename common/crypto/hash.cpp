#include "hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace semel::crypto {
namespace {

void require(int ok, const char* what) {
    if (ok != 1) {
        throw std::runtime_error{std::string{"OpenSSL failed in "} + what + "; check that libssl 3 is whole"};
    }
}

} // namespace

digest sha256(std::string_view bytes) {
    digest out{};
    require(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr), "EVP_Digest");
    return out;
}

digest hmac_sha256(std::string_view key, std::string_view bytes) {
    digest out{};
    unsigned int size = out.size();
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &size) == nullptr) {
        require(0, "HMAC");
    }
    return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void hasher::free_ctx::operator()(evp_md_ctx_st* ctx) const noexcept {
    EVP_MD_CTX_free(ctx);
}

hasher::hasher()
    : ctx_(EVP_MD_CTX_new()) {
    require(EVP_DigestInit_ex(ctx_.get(), EVP_sha256(), nullptr), "init");
}
hasher::hasher(hasher&&) noexcept = default;
hasher& hasher::operator=(hasher&&) noexcept = default;
hasher::~hasher() = default;

hasher& hasher::update(std::string_view bytes) {
    require(EVP_DigestUpdate(ctx_.get(), bytes.data(), bytes.size()), "update");
    return *this;
}

digest hasher::finish() {
    digest out{};
    require(EVP_DigestFinal_ex(ctx_.get(), out.data(), nullptr), "final");
    require(EVP_DigestInit_ex(ctx_.get(), EVP_sha256(), nullptr), "init");
    return out;
}

digest sha256_of_fields(std::initializer_list<std::string_view> fields) {
    std::string joined;
    for (const auto field : fields) {
        auto size = static_cast<std::uint32_t>(field.size());
        for (int shift = 24; shift >= 0; shift -= 8) {
            joined += static_cast<char>(size >> shift & 0xff);
        }
        joined += field;
    }
    return sha256(joined);
}

} // namespace semel::crypto
