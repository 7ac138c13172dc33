#pragma once
// Kafka must not forget while a campaign lives: what a service and `semel up` refuse to start with.

#include <base/fault.hpp>
#include <kafka/admin.hpp>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace semel::kafka {

using configuration = std::map<std::string, std::string>;

/// Pure. One sentence for each setting that would let the group offsets expire within a year.
std::vector<std::string> offsets_complaints(const configuration& broker);
/// Pure. One sentence for each setting that would let this topic lose records that were not replaced by newer ones.
std::vector<std::string> topic_complaints(const topic_spec&, const configuration& topic);

/// Blocking. Reads both from the broker; a fault (broken) that lists every complaint and its remedy.
base::result<void> check_retention(admin&, std::span<const topic_spec>);

} // namespace semel::kafka
