#pragma once
// How much of Redis' memory a campaign's register takes: what `semel campaign seal` holds against what is free. Pure.

#include "head.hpp"

#include <cstdint>
#include <optional>

namespace semel::address_register {

/// Of used_memory, for each entry of a register with its part of a bucket. Measured with Redis 7.0 and jemalloc: 26.7
/// bytes with 64 entries in a bucket, 29.4 with 33 (the fewest); RegisterStore.TakesTheMemoryThatSealSays holds this
/// against a real Redis.
inline constexpr std::uint64_t bytes_an_entry = 30;

/// One entry for the id of each row that was not rejected, and one for an address on each channel: how many addresses
/// there are is known only when the wave is registered.
std::uint64_t entries_of(const v1::Wave&, int channels) noexcept;

/// What the register of the campaign's sealed waves takes, and the part of it that the head does not vouch for yet.
struct memory {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t to_come = 0;
    friend bool operator==(const memory&, const memory&) = default;
};
memory memory_of(const v1::Campaign&, const std::optional<head>& standing);

} // namespace semel::address_register
