#pragma once
// Draws that repeat: the same seed, listener, message and try give the same numbers, in whatever order messages come.

#include <cstdint>
#include <string_view>

namespace semel::gateways {

constexpr std::uint64_t mixed(std::uint64_t x) noexcept { // the end of splitmix64
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31U);
}

constexpr std::uint64_t hashed(std::string_view text, std::uint64_t seed = 0) noexcept { // FNV-1a, mixed
    std::uint64_t h = 0xcbf29ce484222325ULL ^ mixed(seed);
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return mixed(h);
}

/// 0 <= x < 1
constexpr double as_share(std::uint64_t hash) noexcept {
    return static_cast<double>(hash >> 11U) * 0x1p-53;
}

class chance {
  public:
    explicit constexpr chance(std::uint64_t state) noexcept
        : state_(state) {}
    constexpr double next() noexcept { return as_share(mixed(state_ += 0x9e3779b97f4a7c15ULL)); }

  private:
    std::uint64_t state_;
};

} // namespace semel::gateways
