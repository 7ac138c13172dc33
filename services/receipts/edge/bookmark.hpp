#pragma once
// What the committed offset of a partition of `events` carries. Pure.

#include <kafka/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace semel::receipts {

struct bookmark {
    std::uint64_t turn = 0;              // transactions that wrote to its partition of `doubts`
    std::optional<kafka::offset> reread; // from there on, for what is awaited and stands in no record

    friend bool operator==(const bookmark&, const bookmark&) = default;
};

/// "17", or "17@4711".
std::string to_metadata(const bookmark&);
/// Throws when the offset was not committed by receipts.
bookmark bookmark_of(const kafka::commit&);

} // namespace semel::receipts
