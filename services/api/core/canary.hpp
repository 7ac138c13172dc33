#pragma once
// A few people first, and a campaign that stops by itself: what an operator's word is waited for. Pure. Where a canary
// ends in the audience is plan's to know (plan/core/canary).

#include <base/ids.hpp>

#include <api/core/coverage.hpp>
#include <api/core/lifecycle.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace semel::api {

/// There is one, and what is behind it waits for `release`.
bool canary_holds(const v1::Campaign&);

enum class canary_stage : unsigned char { none, not_launched, going_out, waiting, released };
/// "not launched", "going out", "waiting for release", "released".
std::string_view to_string(canary_stage) noexcept;
struct canary_standing {
    canary_stage stage = canary_stage::none;
    std::int64_t released = 0; ///< rows that plan has decided
};
canary_standing canary_of(const v1::Campaign&, std::span<const wave_count>);

/// The rest may go.
step release(const v1::Campaign&);

/// Of one channel, as the ledger has counted them so far.
struct channel_outcomes {
    base::channel channel{};
    std::int64_t accepted = 0;
    std::int64_t failed = 0;
};
/// Why the campaign must stop by its own rule. Outcomes of before the last halt are not judged again: an operator has
/// seen them. After its deadline everything fails and nothing is sent, so there is nothing to stop.
std::optional<std::string> why_to_halt(const v1::Campaign&, std::span<const channel_outcomes>, base::timestamp now);
/// Paused, and it says why; `resume` goes on.
step halt(const v1::Campaign&, std::span<const channel_outcomes>, std::string why, base::timestamp now);
bool is_halted(const v1::Campaign&);

} // namespace semel::api
