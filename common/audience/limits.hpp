#pragma once
// What a file of people may be, so that a small one that unpacks to a huge one fills neither disk nor day. The settings
// of an installation say how much (`limits` in semel.yaml).

#include <cstdint>
#include <limits>

namespace semel::audience {

struct limits {
    std::uint64_t decoded = std::numeric_limits<std::uint64_t>::max(); // bytes, after gzip or zstd
    std::uint64_t rows = std::numeric_limits<std::uint64_t>::max();
};

} // namespace semel::audience
