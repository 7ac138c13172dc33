#include "parking.hpp"

#include <delivery/core/settlement.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace semel::delivery {

parking::parking(const knowledge& campaigns, clock& clock, const partitions& all)
    : campaigns_(campaigns)
    , clock_(clock)
    , partitions_(all) {}

bool parking::stays(const partition& p, const item& i) const {
    const auto& d = i.dispatch;
    if (d.parked_us() == 0 || d.parked_us() < p.waiting.parked_round_us) {
        return false;
    }
    const auto campaign = campaigns_.find(base::campaign_id{d.campaign_id()});
    return campaign && standing_of(campaign->state.phase(), d, clock_.time().certain) == standing::paused;
}

bool parking::any_resumed() {
    const auto version = campaigns_.version();
    if (version == version_) {
        return false;
    }
    version_ = version;
    std::set<base::campaign_id> now;
    for (const auto& c : campaigns_.campaigns()) {
        if (c->state.phase() == v1::CAMPAIGN_PAUSED) {
            now.insert(c->id);
        }
    }
    const bool resumed = !std::ranges::includes(now, paused_);
    paused_ = std::move(now);
    return resumed;
}

void parking::send_round() {
    const auto round_us = base::to_us(clock_.time().best);
    if (any_resumed()) {
        for (const auto& p : partitions_.all()) {
            p->waiting.parked_round_us = round_us;
        }
    }
    if (clock_.now() - looked_behind_ < std::chrono::seconds{2}) {
        return;
    }
    looked_behind_ = clock_.now();
    for (const auto& p : partitions_.all()) {
        const auto stays_here = [&](const item& i) { return stays(*p, i); };
        if (!p->waiting.empty() && stays_here(p->waiting.front()) &&
            !std::ranges::all_of(p->waiting.items, stays_here)) {
            p->waiting.parked_round_us = round_us;
        }
    }
}

} // namespace semel::delivery
