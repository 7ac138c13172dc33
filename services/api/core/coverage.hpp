#pragma once
// The account that must close: what the ledger has counted, completed by what only the campaign's state says. Pure.

#include <semel/v1/campaign.pb.h>

#include <cstdint>
#include <span>

namespace semel::api {

struct coverage {
    std::int64_t reached = 0;
    std::int64_t failed = 0;
    std::int64_t unreachable = 0;
    std::int64_t in_doubt = 0;
    std::int64_t outstanding = 0;
    std::int64_t repeated = 0; ///< rows of an id that an earlier row of the wave has: the same person again
    std::int64_t rejected = 0; ///< rows that could not be read

    std::int64_t rows() const noexcept {
        return reached + failed + unreachable + in_doubt + outstanding + repeated + rejected;
    }
    friend bool operator==(const coverage&, const coverage&) = default;
};

/// A wave as the ledger knows it.
struct wave_count {
    std::uint32_t wave = 0;
    bool sealed = false; ///< it has heard of the seal, so that `coverage` has the wave's waiting rows and its rejected
    std::int64_t released = 0; ///< rows that plan has decided
    std::int64_t doubles = 0;  ///< rows that repeat an id of the wave
};

/// The ledger hears of a seal by another partition of `events` than of the wave's rows, maybe later: until then the
/// wave's own numbers stand in. A wave of a cancelled campaign that was never launched is released by nobody: its
/// people were not told, and nobody will tell them.
coverage completed(const v1::Campaign&, coverage counted, std::span<const wave_count>);

/// Rows of waves that are sealed and count.
struct release_count {
    std::int64_t released = 0; ///< of launched waves: plan has decided them
    std::int64_t waiting = 0;  ///< of launched waves: they wait for plan
    std::int64_t held = 0;     ///< they wait for somebody: to launch their wave, or to release what is behind a canary

    /// The ledger does not know whose they are.
    std::int64_t to_come() const noexcept { return waiting + held; }
};
release_count count_released(const v1::Campaign&, std::span<const wave_count>);

/// Every row of every wave is in the ledger, as the campaign counts them: only then does "nothing is outstanding" mean
/// anything.
bool wholly_released(const v1::Campaign&, std::span<const wave_count>);

} // namespace semel::api
