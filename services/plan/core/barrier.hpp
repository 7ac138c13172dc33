#pragma once
// The barrier between registering and releasing. Redis is fast and may forget, so beside a campaign's register stands a
// head: a random marker, the identity of the server that the register was built on, and the spans that are in it
// completely. A register is believed only while its head agrees with the server that answers; else it is built again
// from `audience`. Pure.

#include <base/ids.hpp>
#include <semel/v1/campaign.pb.h>

#include <address_register/head.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace semel::plan {

using address_register::head;
using address_register::is_dropped;
using address_register::is_sealed;
using address_register::mark;

/// Which Redis answers. A restart (which may have come up from an old file), a failover or another instance differ.
struct server {
    std::string run_id;
    std::string master_replid;
    friend bool operator==(const server&, const server&) = default;
};
std::string to_string(const server&);

/// Whether the register under this head may be added to and asked. Without a head, or with one made on another server,
/// it may not: a new head replaces it, and everything is registered again.
bool usable(const std::optional<head>&, const server& answering);

/// Everything that must be registered before a row of `wave` may be decided: all spans of this and of all earlier
/// waves that are not dropped. Nothing while an earlier wave is not sealed: its rows would come first, and nobody knows
/// them yet.
std::optional<std::vector<mark>> required_for(const v1::Campaign&, std::uint32_t wave);

/// The waves before this one that count: what the register must hold of others when a row of it is decided.
std::vector<std::uint32_t> earlier_waves(const v1::Campaign&, std::uint32_t wave);

// Waves get their numbers in the order in which they become known, so a wave is never decided without a lower one. The
// two that follow do not rely on it: whoever was told by a higher wave would be told by the lower one again.

/// The highest wave that was launched while this one was not even registered; it could not know of these people. 0:
/// none.
std::uint32_t launched_without(const v1::Campaign&, const v1::Wave&);

/// A wave that has released rows, and the waves before it that were registered by then (Progress.after).
struct begun_wave {
    std::uint32_t number = 0;
    std::vector<std::uint32_t> after;
};
/// A higher wave that has released rows without this one in the register. 0: none. What an older version has released
/// does not say so: its waves stand as they are once this one has begun.
std::uint32_t decided_without(std::span<const begun_wave>, std::uint32_t wave);

/// Whether anybody may still ask the register.
enum class demand : unsigned char {
    standing, ///< rows are to be decided, or a wave may come that must know of them
    winding,  ///< cancelled: only until every launched row is accounted for
    over,     ///< finished, cancelled before any launch, or its key is destroyed
};
/// A wave that is added to a finished campaign makes it run again; its register is then built anew from `audience`.
demand demand_of(const v1::Campaign&);

/// What is released in one partition of `audience`: everything below `next`, on every channel.
struct release_position {
    std::uint32_t wave = 0;
    std::uint32_t partition = 0;
    std::int64_t next = 0;
};
/// Every row of every launched wave has been decided. Once so, always so of a campaign that nothing is added to.
bool all_accounted_for(const v1::Campaign&, std::span<const release_position>);

/// Whether the campaign's records in `audience` may still be read: to register and release them, also again for a wave
/// that is added to a finished campaign. `accounted_for`: all_accounted_for().
bool needs_audience(const v1::Campaign&, bool accounted_for);

/// The spans of sealed waves, while there is a demand for them.
std::vector<mark> to_register(const v1::Campaign&);

} // namespace semel::plan
