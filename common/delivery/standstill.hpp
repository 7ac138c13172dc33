#pragma once
// What an operator is told of a lane that does not send as it should. Pure.

#include <delivery/blame.hpp>
#include <delivery/breaker.hpp>

#include <trouble/trouble.hpp>

#include <optional>
#include <string>

namespace semel::delivery {

/// Nothing for a lane that is well.
std::optional<trouble::entry> standstill(std::string gateway, double limit_per_s, const breaker&, const blame&,
                                         base::instant now);

} // namespace semel::delivery
