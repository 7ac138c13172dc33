#pragma once
// A few people first: while an operator has not let the rest go, release stops behind a row. The mark stands in the
// campaign's record alone, so that every process of plan finds the same one, whenever it begins. It only ever holds
// rows back: it decides nothing about those before it, and cannot be wrong about those behind it. Pure.

#include <semel/v1/campaign.pb.h>

#include <cstdint>
#include <optional>

namespace semel::plan {

/// The last row of the wave's file that may be released; 0: none of them. Nothing: no canary holds the campaign. Rows
/// are released by chunks, so the chunk with this row is released whole; intake ends one here
/// (ImportOrder.cut_after_row).
std::optional<std::uint64_t> last_row_of_canary(const v1::Campaign&, const v1::Wave&);

} // namespace semel::plan
