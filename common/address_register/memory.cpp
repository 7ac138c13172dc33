#include "memory.hpp"

#include <algorithm>

namespace semel::address_register {

std::uint64_t entries_of(const v1::Wave& wave, int channels) noexcept {
    const auto rows = wave.rows() - std::min(wave.rows(), wave.rejected());
    return rows * static_cast<std::uint64_t>(1 + std::max(0, channels));
}

memory memory_of(const v1::Campaign& campaign, const std::optional<head>& standing) {
    memory all;
    for (const auto& wave : campaign.waves()) {
        if (!is_sealed(wave)) {
            continue;
        }
        const auto entries = entries_of(wave, campaign.channels_size());
        const bool is_there = standing && std::ranges::all_of(wave.spans(), [&](const v1::AudienceSpan& span) {
                                  return standing->has({wave.number(), span.partition(), span.end_offset()});
                              });
        all.entries += entries;
        all.bytes += entries * bytes_an_entry;
        all.to_come += is_there ? 0 : entries * bytes_an_entry;
    }
    return all;
}

} // namespace semel::address_register
