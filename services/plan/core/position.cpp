#include "position.hpp"

#include <wire/identity.hpp>

#include <algorithm>

namespace semel::plan {

channel_set channels_of(const v1::Campaign& campaign) {
    channel_set all;
    for (const auto used : campaign.channels()) {
        if (const auto channel = wire::from_proto(static_cast<v1::Channel>(used))) {
            all.insert(*channel);
        }
    }
    return all;
}

position::position(const v1::Progress& front, const v1::Progress* behind)
    : rows_(front.next_offset())
    , after_(front.after().begin(), front.after().end()) {
    if (behind == nullptr) {
        return;
    }
    for (const auto& b : behind->behind()) {
        const auto channel = wire::from_proto(b.channel());
        if (channel && b.next_offset() < b.end_offset()) {
            gaps_[*channel].push_back({b.next_offset(), b.end_offset()});
        }
    }
}

const std::vector<gap>& position::gaps(base::channel channel) const {
    static const std::vector<gap> none;
    const auto found = gaps_.find(channel);
    return found == gaps_.end() ? none : found->second;
}

std::int64_t position::least() const {
    auto least = rows_;
    for (const auto& [channel, gaps] : gaps_) {
        least = std::min(least, gaps.front().next);
    }
    return least;
}

std::int64_t position::lacking(base::channel channel, std::int64_t end) const {
    auto sum = std::max<std::int64_t>(end - rows_, 0);
    for (const auto& g : gaps(channel)) {
        sum += g.end - g.next;
    }
    return sum;
}

void position::tell(std::int64_t next, const channel_set& with, const channel_set& all) {
    if (next <= rows_) {
        return;
    }
    for (const auto channel : all) {
        if (with.contains(channel)) {
            continue;
        }
        auto& gaps = gaps_[channel];
        if (!gaps.empty() && gaps.back().end == rows_) {
            gaps.back().end = next;
        } else {
            gaps.push_back({rows_, next});
        }
    }
    rows_ = next;
}

void position::catch_up(base::channel channel, std::int64_t next) {
    const auto found = gaps_.find(channel);
    if (found == gaps_.end()) {
        return;
    }
    auto& gaps = found->second;
    gaps.front().next = std::max(gaps.front().next, next);
    if (gaps.front().next >= gaps.front().end) {
        gaps.erase(gaps.begin());
    }
    if (gaps.empty()) {
        gaps_.erase(found);
    }
}

void position::write_front(v1::Progress& progress, std::int64_t end) const {
    progress.set_next_offset(rows_);
    progress.set_done(rows_ >= end && gaps_.empty());
    progress.mutable_after()->Assign(after_.begin(), after_.end());
}

void position::write_gaps(v1::Progress& progress) const {
    progress.set_done(gaps_.empty());
    progress.set_next_offset(least());
    for (const auto& [channel, gaps] : gaps_) {
        for (const auto& g : gaps) {
            auto& b = *progress.add_behind();
            b.set_channel(wire::to_proto(channel));
            b.set_next_offset(g.next);
            b.set_end_offset(g.end);
        }
    }
}

} // namespace semel::plan
