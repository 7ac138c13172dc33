#include "barrier.hpp"

#include <algorithm>

namespace semel::plan {
std::string to_string(const server& s) {
    return s.run_id + " " + s.master_replid;
}

bool usable(const std::optional<head>& h, const server& answering) {
    return h && h->server == to_string(answering);
}

std::optional<std::vector<mark>> required_for(const v1::Campaign& campaign, std::uint32_t wave) {
    std::vector<mark> required;
    for (const auto& w : campaign.waves()) {
        if (w.number() > wave || is_dropped(w)) {
            continue;
        }
        if (!is_sealed(w)) {
            return std::nullopt;
        }
        for (const auto& span : w.spans()) {
            required.push_back({w.number(), span.partition(), span.end_offset()});
        }
    }
    return required;
}

std::vector<std::uint32_t> earlier_waves(const v1::Campaign& campaign, std::uint32_t wave) {
    std::vector<std::uint32_t> earlier;
    for (const auto& w : campaign.waves()) {
        if (w.number() < wave && !is_dropped(w)) {
            earlier.push_back(w.number());
        }
    }
    return earlier;
}

std::uint32_t launched_without(const v1::Campaign& campaign, const v1::Wave& wave) {
    std::uint32_t highest = 0;
    for (const auto& w : campaign.waves()) {
        if (wave.phase() == v1::WAVE_SEALED && w.phase() == v1::WAVE_LAUNCHED && w.number() > wave.number()) {
            highest = std::max(highest, w.number());
        }
    }
    return highest;
}

std::uint32_t decided_without(std::span<const begun_wave> begun, std::uint32_t wave) {
    const bool has_begun = std::ranges::find(begun, wave, &begun_wave::number) != begun.end();
    for (const auto& higher : begun) {
        const bool knew = std::ranges::find(higher.after, wave) != higher.after.end();
        const bool says_nothing = higher.after.empty() && has_begun;
        if (higher.number > wave && !knew && !says_nothing) {
            return higher.number;
        }
    }
    return 0;
}

demand demand_of(const v1::Campaign& campaign) {
    const auto launched = [](const v1::Wave& w) { return w.phase() == v1::WAVE_LAUNCHED; };
    if (campaign.phase() == v1::CAMPAIGN_FINISHED || campaign.wrapped_key().empty()) {
        return demand::over;
    }
    if (campaign.phase() == v1::CAMPAIGN_CANCELLED) {
        return std::ranges::any_of(campaign.waves(), launched) ? demand::winding : demand::over;
    }
    return demand::standing;
}

bool all_accounted_for(const v1::Campaign& campaign, std::span<const release_position> positions) {
    const auto decided = [&](const v1::Wave& wave, const v1::AudienceSpan& span) {
        return std::ranges::any_of(positions, [&](const release_position& p) {
            return p.wave == wave.number() && p.partition == span.partition() && p.next >= span.end_offset();
        });
    };
    for (const auto& wave : campaign.waves()) {
        for (const auto& span : wave.spans()) {
            if (wave.phase() == v1::WAVE_LAUNCHED && span.start_offset() < span.end_offset() && !decided(wave, span)) {
                return false;
            }
        }
    }
    return true;
}

bool needs_audience(const v1::Campaign& campaign, bool accounted_for) {
    switch (demand_of(campaign)) {
    case demand::standing:
        return true;
    case demand::winding:
        return !accounted_for;
    case demand::over:
        return campaign.phase() == v1::CAMPAIGN_FINISHED && !campaign.wrapped_key().empty();
    }
    return true;
}

std::vector<mark> to_register(const v1::Campaign& campaign) {
    std::vector<mark> all;
    for (const auto& w : campaign.waves()) {
        if (demand_of(campaign) != demand::over && is_sealed(w)) {
            for (const auto& span : w.spans()) {
                all.push_back({w.number(), span.partition(), span.end_offset()});
            }
        }
    }
    return all;
}

} // namespace semel::plan
