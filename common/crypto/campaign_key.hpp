#pragma once
// A campaign's key: 32 bytes that only derived keys are made of, one to seal with, one to hash with and one for the
// codes by which notices are checked. Destroying it destroys every copy of what it sealed.

#include <crypto/seal.hpp>

namespace semel::crypto {

class campaign_key {
  public:
    /// How the two keys come from the bytes. Kept with the wrapped key: it may never change for a campaign.
    enum class scheme : unsigned char {
        same = 1,    ///< of campaigns from before version 2 of the wrapped form: the bytes themselves, for both
        derived = 2, ///< HKDF, each for one purpose
    };

    static campaign_key random();
    campaign_key() = default; ///< none yet: all zeros, as a key256 is
    explicit campaign_key(const key256& bytes, scheme how = scheme::derived);

    const key256& bytes() const noexcept { return bytes_; }
    scheme how() const noexcept { return how_; }
    const key256& sealing() const noexcept { return sealing_; }
    const key256& hashing() const noexcept { return hashing_; }
    /// Of codes that everybody may read (correlation/verification_code); derived in every scheme.
    const key256& verifying() const noexcept { return verifying_; }

  private:
    key256 bytes_;
    scheme how_ = scheme::derived;
    key256 sealing_, hashing_, verifying_;
};

inline std::string seal(const campaign_key& key, std::string_view plain, std::string_view associated) {
    return seal(key.sealing(), plain, associated);
}
inline base::result<std::string> open(const campaign_key& key, std::string_view sealed, std::string_view associated) {
    return open(key.sealing(), sealed, associated);
}

} // namespace semel::crypto
