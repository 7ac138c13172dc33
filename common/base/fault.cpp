#include "fault.hpp"

namespace semel::base {

fault fault::within(std::string_view where) const {
    fault outer = *this;
    outer.why_.insert(0, ": ").insert(0, where);
    return outer;
}

std::string_view to_string(fault::kind k) noexcept {
    switch (k) {
    case fault::kind::transient:
        return "transient";
    case fault::kind::throttled:
        return "throttled";
    case fault::kind::permanent:
        return "permanent";
    case fault::kind::malformed:
        return "malformed";
    case fault::kind::unreachable:
        return "unreachable";
    case fault::kind::stopping:
        return "stopping";
    case fault::kind::broken:
        return "broken";
    }
    return "broken";
}

} // namespace semel::base
