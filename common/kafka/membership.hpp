#pragma once
// Offsets that no consumer reads from: a producer keeps word of what it did, in the transaction that did it.

#include <kafka/types.hpp>

#include <memory>
#include <string>

namespace semel::kafka {

/// For offsets of a group that nobody joins. They fence nobody: that is the transactional id's part.
std::shared_ptr<const membership> outside_any_group(const std::string& group);

} // namespace semel::kafka
