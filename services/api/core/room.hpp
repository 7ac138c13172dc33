#pragma once
// Whether Redis can hold a campaign. Pure.

#include <base/fault.hpp>
#include <semel/v1/campaign.pb.h>

#include <address_register/memory.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace semel::api {

/// What Redis says of its memory, and the head of the campaign's register in it.
struct redis_memory {
    std::uint64_t limit = 0; // maxmemory; 0: none
    std::uint64_t used = 0;
    std::optional<address_register::head> register_head = {};
    std::string unknown = {}; // why nothing is known
};

/// Beside the registers: claims of what is being sent (at most 4,096 reserved and 1,024 settled messages of some 220
/// bytes in each of 8 partitions of three channels: 27 MB), rates, connections.
inline constexpr std::uint64_t kept_for_sending = 32'000'000;

/// For the register of the campaign as it is after the seal.
address_register::memory need_of(const v1::Campaign& sealed, const redis_memory&);
/// Bytes that registers may still take; nothing without a limit, or when nothing is known.
std::optional<std::uint64_t> room_of(const redis_memory&);
/// permanent: it does not fit, by how much, and what to do. A Redis that does not answer refuses nothing: registering
/// waits for it.
base::result<void> has_room(const v1::Campaign& sealed, const address_register::memory& need, const redis_memory&);

/// "61.4 MB".
std::string megabytes(std::uint64_t bytes);

} // namespace semel::api
