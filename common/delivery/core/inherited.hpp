#pragma once
// What a new owner makes of what the one before it left behind: may its claims be believed, and what becomes of each
// record that it had reserved and not settled (docs/exactly-once.md, "Taking over", step 4). Pure.

#include <delivery/core/checkpoint.hpp>
#include <delivery/core/claim_value.hpp>
#include <delivery/core/settlement.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace semel::delivery {

/// The head that stood in Redis when ours was raised.
struct former_head {
    delivery::marker marker{};
    bool same_server = false; ///< written to the Redis that answers now
    bool vouched_for = false; ///< or to one that ended in order, and whose data this one holds
};

/// Whether every claim that was made under the committed marker is there. Only then is a missing one proof that
/// nothing was sent; otherwise Redis may have lost it.
bool claims_are_whole(const std::optional<former_head>&, const delivery::marker& committed) noexcept;

/// Reserved, never claimed: certainly not sent.
struct never_claimed {};
/// The gateway's answer was noted before its owner ended.
struct answered_before {
    claim_outcome said;
};
/// It may be out, and nobody knows.
struct left_in_doubt {
    settlement how;
    std::string gateway; ///< empty: not known
    std::uint32_t parts = 0;
};
using inheritance = std::variant<never_claimed, answered_before, left_in_doubt>;

/// `claims_lost`: the record lies where claims may have been lost. An outcome is true even if it comes out of an old
/// file.
inheritance inherit(const std::optional<std::string>& claim, bool claims_lost);

} // namespace semel::delivery
