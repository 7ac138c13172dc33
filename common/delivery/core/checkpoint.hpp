#pragma once
// The metadata string of an offset commit: who owned the partition, how far it had reserved, what of that was settled.
// UTF-8 of at most 4,096 characters is all that Kafka takes, so the bytes are packed and then base64.

#include <base/bytes.hpp>
#include <base/fault.hpp>
#include <delivery/core/window.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace semel::delivery {

/// A random 16 bytes: one incarnation of the claims of a partition in Redis.
using marker = base::byte_array<16>;

struct checkpoint {
    std::uint64_t owner = 0;       ///< rises with each taking over
    std::uint64_t transaction = 0; ///< rises with each commit: read back when a commit's result is unknown
    delivery::marker marker{};
    delivery::range range;
    /// What lies below it and is not settled may be out whatever Redis says: its claims were lost. Claims at and above
    /// it count if the markers agree. 0: all count.
    kafka::offset claims_lost_below = 0;
};

/// At most 4,096 characters as long as range spans at most window::max_span offsets.
std::string encode(const checkpoint&);
/// `next` is the committed offset. An empty string is a partition that nobody has owned. malformed: written by
/// something else, or cut.
base::result<checkpoint> decode_checkpoint(kafka::offset next, std::string_view metadata);

} // namespace semel::delivery
