#pragma once
// AES-256-GCM (NIST SP 800-38D) for records that carry personal data. Sealed form: 12-byte random nonce, ciphertext,
// 16-byte tag. Destroying the key destroys every copy.

#include <base/fault.hpp>

#include <array>
#include <string>
#include <string_view>

namespace semel::crypto {

/// 32 bytes that wipe themselves. Never printed.
class key256 {
  public:
    key256() = default;
    explicit key256(const std::array<unsigned char, 32>& bytes)
        : bytes_(bytes) {}
    key256(const key256&) = default;
    key256& operator=(const key256&) = default;
    ~key256();
    static key256 random();
    static base::result<key256> from(std::string_view bytes);

    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  private:
    std::array<unsigned char, 32> bytes_{};
};

/// `associated` is authenticated with it and must be given again to open: it binds the bytes to their place.
std::string seal(const key256& key, std::string_view plain, std::string_view associated);
/// malformed: too short, wrong key, wrong place, or tampered with: the four cannot be told apart.
base::result<std::string> open(const key256& key, std::string_view sealed, std::string_view associated);

/// Cryptographically secure.
std::string random_bytes(std::size_t count);

} // namespace semel::crypto
