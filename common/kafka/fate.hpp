#pragma once
// What became of a transaction whose end was not heard, told from what the group has committed. Pure.

#include <kafka/types.hpp>

#include <map>
#include <string>
#include <vector>

namespace semel::kafka {

/// Where a partition stands, as it was committed last.
struct position {
    kafka::offset next = 0;
    std::string metadata;

    friend bool operator==(const position&, const position&) = default;
};
using positions = std::map<topic_partition, position>;

enum class fate {
    committed,
    not_committed, ///< or it would have moved nothing: then nobody can tell
    overtaken,     ///< somebody else has committed meanwhile
};
/// Of a transaction that would have moved `before` by `wanted`, from what stands there now.
fate fate_of(const positions& before, const std::vector<commit>& wanted, const std::vector<commit>& now);

} // namespace semel::kafka
