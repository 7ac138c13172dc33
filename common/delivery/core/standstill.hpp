#pragma once
// What an operator is told of a lane that does not send as it should. Pure.

#include <delivery/core/blame.hpp>
#include <delivery/core/breaker.hpp>
#include <delivery/core/lane_pace.hpp>

#include <trouble/trouble.hpp>

#include <optional>
#include <string>

namespace semel::delivery {

struct lane_state {
    std::string_view gateway;
    double limit_per_s = 0; ///< of semel.yaml; 0: none
    const delivery::breaker& breaker;
    const delivery::blame& blame;
    const lane_pace& pace;
};

/// Nothing for a lane that is well.
std::optional<trouble::entry> standstill(const lane_state&, base::instant now);

} // namespace semel::delivery
