#include "canary.hpp"

#include <algorithm>

namespace semel::plan {

std::optional<std::uint64_t> last_row_of_canary(const v1::Campaign& campaign, const v1::Wave& wave) {
    if (campaign.canary().rows() == 0 || campaign.canary().released()) {
        return std::nullopt;
    }
    std::uint64_t left = campaign.canary().rows();
    for (const auto& lower : campaign.waves()) {
        if (lower.number() < wave.number() && lower.phase() == v1::WAVE_LAUNCHED) {
            left -= std::min(left, lower.rows());
        }
    }
    return left;
}

} // namespace semel::plan
