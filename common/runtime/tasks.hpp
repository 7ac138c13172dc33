#pragma once
// The names of before, for what is being rewritten at the same time (common/delivery, services/plan). Nothing new
// includes this.

#include <runtime/condition.hpp>
#include <runtime/gate.hpp>
#include <runtime/race.hpp>

namespace semel::runtime {

using signal = condition;

} // namespace semel::runtime
