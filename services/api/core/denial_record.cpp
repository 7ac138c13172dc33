#include "denial_record.hpp"

#include <algorithm>
#include <utility>

namespace semel::api {

std::optional<std::int64_t> denial_record::denied(time_point now) {
    ++unwritten_;
    const auto until = std::max(paid_, now) + limits_.every;
    if (until > now + limits_.every * limits_.burst) {
        return std::nullopt;
    }
    paid_ = until;
    return std::exchange(unwritten_, 0);
}

} // namespace semel::api
