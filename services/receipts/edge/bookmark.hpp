#pragma once
// What the committed offset of a partition of `events` carries, and what became of a transaction whose end was not
// heard. Pure.

#include <kafka/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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

/// Where a partition stands, as it was committed last.
struct position {
    kafka::offset next = 0;
    std::string metadata;

    friend bool operator==(const position&, const position&) = default;
};
using positions = std::map<kafka::topic_partition, position>;

enum class fate {
    committed,
    not_committed, ///< or of no consequence: it would have moved nothing
    overtaken,     ///< somebody else has committed meanwhile
};
/// Of a transaction that would have moved `before` by `wanted`, from what stands there now.
fate fate_of(const positions& before, const std::vector<kafka::commit>& wanted, const std::vector<kafka::commit>& now);

} // namespace semel::receipts
