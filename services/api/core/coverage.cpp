#include "coverage.hpp"

#include "canary.hpp"
#include "lifecycle.hpp"

#include <algorithm>

namespace semel::api {
namespace {

wave_count count_of(std::span<const wave_count> counts, std::uint32_t wave) {
    const auto found = std::ranges::find(counts, wave, &wave_count::wave);
    return found == counts.end() ? wave_count{.wave = wave} : *found;
}

std::int64_t taken_rows(const v1::Wave& wave) {
    return static_cast<std::int64_t>(wave.rows()) - static_cast<std::int64_t>(wave.rejected());
}

std::int64_t waiting_rows(const v1::Wave& wave, const wave_count& count) {
    return std::max<std::int64_t>(taken_rows(wave) - count.released - count.doubles, 0);
}

} // namespace

coverage completed(const v1::Campaign& c, coverage counted, std::span<const wave_count> counts) {
    for (const auto& wave : c.waves()) {
        if (wave.phase() < v1::WAVE_SEALED || is_dropped(wave)) {
            continue;
        }
        const auto count = count_of(counts, wave.number());
        const auto waiting = waiting_rows(wave, count);
        if (!count.sealed) {
            counted.outstanding += waiting;
            counted.rejected += static_cast<std::int64_t>(wave.rejected());
        }
        if (c.phase() == v1::CAMPAIGN_CANCELLED && wave.phase() != v1::WAVE_LAUNCHED) {
            counted.outstanding -= waiting;
            counted.failed += waiting;
        }
    }
    return counted;
}

release_count count_released(const v1::Campaign& c, std::span<const wave_count> counts) {
    release_count out;
    for (const auto& wave : c.waves()) {
        if (wave.phase() < v1::WAVE_SEALED || is_dropped(wave)) {
            continue;
        }
        const auto count = count_of(counts, wave.number());
        const bool launched = wave.phase() == v1::WAVE_LAUNCHED;
        out.released += launched ? count.released : 0;
        (launched && !canary_holds(c) ? out.waiting : out.held) += waiting_rows(wave, count);
    }
    return out;
}

bool wholly_released(const v1::Campaign& c, std::span<const wave_count> counts) {
    return std::ranges::all_of(c.waves(), [&](const v1::Wave& wave) {
        if (is_dropped(wave)) {
            return true;
        }
        const auto count = count_of(counts, wave.number());
        return wave.phase() == v1::WAVE_LAUNCHED && count.released + count.doubles == taken_rows(wave);
    });
}

} // namespace semel::api
