#pragma once
// SHA-256 and HMAC over OpenSSL. All functions are thread-safe; a hasher belongs to one thread.

#include <base/bytes.hpp>

#include <memory>
#include <string_view>

struct evp_md_ctx_st;

namespace semel::crypto {

using digest = base::byte_array<32>;

digest sha256(std::string_view bytes);
digest hmac_sha256(std::string_view key, std::string_view bytes);
/// For comparing secrets and authenticators: takes the same time whatever differs.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// SHA-256 over a stream of pieces.
class hasher {
  public:
    hasher();
    hasher(hasher&&) noexcept;
    hasher& operator=(hasher&&) noexcept;
    ~hasher();

    hasher& update(std::string_view bytes);
    /// The digest of everything so far; starts anew.
    digest finish();

  private:
    struct free_ctx {
        void operator()(evp_md_ctx_st* ctx) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, free_ctx> ctx_;
};

/// Fields hashed with their lengths, so that ("ab","c") and ("a","bc") differ.
digest sha256_of_fields(std::initializer_list<std::string_view> fields);

} // namespace semel::crypto
