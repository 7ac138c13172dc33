#include "seal.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace semel::crypto {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

struct free_ctx {
    void operator()(EVP_CIPHER_CTX* ctx) const noexcept { EVP_CIPHER_CTX_free(ctx); }
};

EVP_CIPHER_CTX* context_of_this_thread() {
    thread_local const std::unique_ptr<EVP_CIPHER_CTX, free_ctx> ctx{EVP_CIPHER_CTX_new()};
    return ctx.get();
}

const unsigned char* bytes(std::string_view s) {
    return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* bytes(std::string& s, std::size_t at) {
    return reinterpret_cast<unsigned char*>(s.data()) + at;
}

void require(int ok) {
    if (ok != 1) {
        throw std::runtime_error{"AES-256-GCM failed in OpenSSL; check that libssl 3 is whole"};
    }
}

} // namespace

key256::~key256() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

key256 key256::random() {
    std::array<unsigned char, 32> out{};
    require(RAND_bytes(out.data(), static_cast<int>(out.size())));
    return key256{out};
}

base::result<key256> key256::from(std::string_view view) {
    if (view.size() != 32) {
        return base::failed(base::fault::kind::malformed,
                            "a key has 32 bytes, this one has " + std::to_string(view.size()));
    }
    std::array<unsigned char, 32> out{};
    std::copy(view.begin(), view.end(), out.begin());
    return key256{out};
}

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    require(RAND_bytes(bytes(out, 0), static_cast<int>(count)));
    return out;
}

std::string seal(const key256& key, std::string_view plain, std::string_view associated) {
    std::string out(nonce_size + plain.size() + tag_size, '\0');
    require(RAND_bytes(bytes(out, 0), nonce_size));
    auto* ctx = context_of_this_thread();
    int n = 0;
    require(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), nullptr, bytes(key.view()), bytes(out, 0)));
    if (!associated.empty()) {
        require(EVP_EncryptUpdate(ctx, nullptr, &n, bytes(associated), static_cast<int>(associated.size())));
    }
    require(EVP_EncryptUpdate(ctx, bytes(out, nonce_size), &n, bytes(plain), static_cast<int>(plain.size())));
    require(EVP_EncryptFinal_ex(ctx, bytes(out, nonce_size + plain.size()), &n));
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, tag_size, bytes(out, nonce_size + plain.size())));
    return out;
}

base::result<std::string> open(const key256& key, std::string_view sealed, std::string_view associated) {
    if (sealed.size() < nonce_size + tag_size) {
        return base::failed(base::fault::kind::malformed, "sealed bytes are too short");
    }
    const auto size = sealed.size() - nonce_size - tag_size;
    std::string plain(size, '\0');
    std::string tag{sealed.substr(nonce_size + size)};
    auto* ctx = context_of_this_thread();
    int n = 0;
    require(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), nullptr, bytes(key.view()), bytes(sealed)));
    if (!associated.empty()) {
        require(EVP_DecryptUpdate(ctx, nullptr, &n, bytes(associated), static_cast<int>(associated.size())));
    }
    require(EVP_DecryptUpdate(ctx, bytes(plain, 0), &n, bytes(sealed.substr(nonce_size)), static_cast<int>(size)));
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, tag_size, bytes(tag, 0)));
    if (EVP_DecryptFinal_ex(ctx, bytes(plain, size), &n) != 1) {
        return base::failed(base::fault::kind::malformed,
                            "sealed bytes do not open: wrong key, wrong place, or tampered with");
    }
    return plain;
}

} // namespace semel::crypto
