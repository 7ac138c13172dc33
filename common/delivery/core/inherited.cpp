#include "inherited.hpp"

#include <base/codes.hpp>

namespace semel::delivery {

bool claims_are_whole(const std::optional<former_head>& stood, const marker& committed) noexcept {
    return stood && (stood->same_server || stood->vouched_for) && stood->marker == committed;
}

inheritance inherit(const std::optional<std::string>& claim, bool claims_lost) {
    if (claim) {
        if (auto outcome = decode_outcome(*claim)) {
            return answered_before{std::move(*outcome)};
        }
    } else if (!claims_lost) {
        return never_claimed{};
    }
    left_in_doubt doubt;
    doubt.how.what = settlement::kind::in_doubt;
    if (claim) {
        doubt.how.code = codes::owner_lost;
        doubt.how.text = "claimed by a process that ended before the answer was recorded";
        doubt.gateway = gateway_of_claim(*claim);
        doubt.parts = parts_of_claim(*claim);
    } else {
        doubt.how.code = codes::claims_lost;
        doubt.how.text = "reserved by a process that ended, and Redis lost the claims";
    }
    return doubt;
}

} // namespace semel::delivery
