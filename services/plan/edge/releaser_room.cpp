// Who may release how much of what: campaigns share each channel's room, and each channel of a wave goes its own way.

#include "releaser_parts.hpp"

#include <telemetry/log.hpp>
#include <wire/progress.hpp>

#include <plan/core/canary.hpp>

#include <limits>

namespace semel::plan {

namespace asio = boost::asio;

namespace {

// Older versions knew campaigns without a deadline; newer ones give them this.
constexpr std::chrono::days without_deadline{7};

base::duration time_left(const v1::Campaign& campaign, base::timestamp now) {
    if (campaign.deadline_us() == 0) {
        return without_deadline;
    }
    return base::from_us(campaign.deadline_us()) - now;
}

double part_of(const share& mine, const kafka_place& place) {
    return static_cast<double>(mine.partitions().size()) / place.partitions;
}

} // namespace

/// Once for each round: what is released in it counts against these parts.
asio::awaitable<void> releaser::share_room(const share& mine, const std::vector<catalog::campaign_ptr>& campaigns) {
    std::map<base::channel, std::vector<applicant>> applicants;
    for (const auto& campaign : campaigns) {
        const auto left = left_of(mine, *campaign);
        const auto rate = left.empty() ? 0 : left_of_rate(mine, *campaign);
        double whole = 0;
        for (const auto& [channel, messages] : left) {
            whole += messages;
        }
        for (const auto& [channel, messages] : left) {
            // Of a rate of its own each channel gets as much as it needs to end with the others.
            const auto wants = std::min(messages, rate * (messages / whole));
            applicants[channel].push_back({.campaign = campaign->id.value(),
                                           .left = messages,
                                           .wants = wants,
                                           .time = time_left(campaign->state, time_().best)});
        }
    }
    if (!applicants.empty()) {
        co_await backlog_.refresh();
    }
    for (auto& [channel, room] : rooms_) {
        const auto whole = backlog_.room(channel, part_of(mine, place_));
        const auto& who = applicants[channel];
        room.begin(whole, who);
        note_room(channel, whole <= 0 && !who.empty());
    }
}

void releaser::note_room(base::channel channel, bool full) {
    const auto word = no_room_[channel].look(full, base::instant_now());
    if (word == no_room::word::goes_on) {
        telemetry::log().info("release.has_room", {{"channel", base::to_string(channel)}});
    }
    if (word == no_room::word::stands) {
        const auto waiting = backlog_.waiting(channel);
        telemetry::log().warn("release.no_room", {{"channel", base::to_string(channel)},
                                                  {"queued", static_cast<std::int64_t>(waiting.queued)},
                                                  {"put_back", static_cast<std::int64_t>(waiting.put_back)}});
    }
}

/// Messages that this process has still to release, about: one for each row and channel.
releaser::messages_by_channel releaser::left_of(const share& mine, const catalog::campaign& campaign) const {
    messages_by_channel left;
    const auto channels = channels_of(campaign.state);
    for (const auto& wave : campaign.state.waves()) {
        if (!campaign.key || stance_of(campaign.state, wave, time_().certain) != stance::send) {
            continue;
        }
        double whole = 0;
        for (const auto& span : wave.spans()) {
            whole += static_cast<double>(span.end_offset() - span.start_offset());
        }
        for (const auto& span : wave.spans()) {
            if (!mine.owns(static_cast<std::int32_t>(span.partition()))) {
                continue;
            }
            const auto at = position_of(campaign, wave, span);
            for (const auto channel : channels) {
                const auto end = end_of(campaign, wave, span, stance::send);
                if (const auto lacking = at.lacking(channel, end); lacking > 0) {
                    const auto rows = static_cast<double>(wave.rows()) * static_cast<double>(lacking) / whole;
                    left[channel] += std::max(1.0, rows);
                }
            }
        }
    }
    return left;
}

/// What of the wave may be released now. A channel that is behind catches up first, and leaves the front to others.
std::vector<releaser::errand> releaser::errands(const share& mine, const catalog::campaign& campaign,
                                                const v1::Wave& wave, plan::stance stance) {
    const auto channels = channels_of(campaign.state);
    errand front{.tells = true, .on = channels};
    const auto canary = stance == stance::send ? last_row_of_canary(campaign.state, wave) : std::nullopt;
    std::map<base::channel, std::vector<stretch>> behind;
    for (const auto& span : wave.spans()) {
        const auto partition = static_cast<std::int32_t>(span.partition());
        if (!mine.owns(partition)) {
            continue;
        }
        const auto at = position_of(campaign, wave, span);
        if (at.rows() < end_of(campaign, wave, span, stance)) {
            front.stretches.push_back({.partition = partition, .next = at.rows(), .end = span.end_offset()});
            front.stretches.back().last_row = canary.value_or(front.stretches.back().last_row);
        }
        for (const auto channel : channels) {
            if (const auto& gaps = at.gaps(channel); !gaps.empty()) {
                behind[channel].push_back({.partition = partition, .next = gaps.front().next, .end = gaps.front().end});
            }
        }
    }
    const auto is_full = [&](base::channel c) { return stance == stance::send && room(mine, campaign, c) <= 0; };
    std::vector<errand> all;
    for (auto& [channel, stretches] : behind) {
        if (!is_full(channel)) {
            all.push_back({.tells = false, .on = {channel}, .stretches = std::move(stretches)});
        }
    }
    // What fails at once, cancelled or expired, needs no room and leaves no gap.
    if (stance == stance::send) {
        std::erase_if(front.on, [&](base::channel c) { return behind.contains(c) || is_full(c); });
    }
    if (!front.stretches.empty() && (!front.on.empty() || channels.empty())) {
        all.push_back(std::move(front));
    }
    return all;
}

/// Messages of the campaign that may be released on the channel; not positive: none.
double releaser::room(const share& mine, const catalog::campaign& campaign, base::channel channel) {
    return std::min({rooms_.at(channel).left(campaign.id.value()), backlog_.room(channel, part_of(mine, place_)),
                     left_of_rate(mine, campaign)});
}

double releaser::left_of_rate(const share& mine, const catalog::campaign& campaign) {
    const auto rate = campaign.state.rate_per_s() * part_of(mine, place_);
    if (rate == 0) {
        return std::numeric_limits<double>::infinity();
    }
    const auto now = base::instant_now();
    auto& own = allowances_.try_emplace(campaign.id.value(), rate, pace_, now).first->second;
    if (own.per_second() != rate) {
        own = allowance{rate, pace_, now};
    }
    return own.left(now);
}

/// Chunks of the next batch. `on_its_way`: of the batch that is not committed yet.
std::size_t releaser::allowed(const pass& p, const messages_by_channel& on_its_way) {
    if (p.stance != stance::send) {
        return chunks_in_a_transaction;
    }
    double least = messages_of_a_chunk * chunks_in_a_transaction;
    double whole = 0;
    for (const auto channel : p.todo.on) {
        const auto found = on_its_way.find(channel);
        const auto own = found == on_its_way.end() ? 0 : found->second;
        least = std::min(least, room(*p.mine, *p.campaign, channel) - own);
        whole += own;
    }
    least = std::min(least, left_of_rate(*p.mine, *p.campaign) - whole);
    if (least <= 0) {
        return 0;
    }
    return std::clamp<std::size_t>(static_cast<std::size_t>(least / messages_of_a_chunk), 1, chunks_in_a_transaction);
}

/// What a canary holds back is nobody's errand. Whoever is cancelled, or too late, is accounted for all the same.
std::int64_t releaser::end_of(const catalog::campaign& campaign, const v1::Wave& wave, const v1::AudienceSpan& span,
                              plan::stance stance) const {
    const auto canary = stance == stance::send ? last_row_of_canary(campaign.state, wave) : std::nullopt;
    if (!canary) {
        return span.end_offset();
    }
    if (*canary == 0) {
        return span.start_offset();
    }
    const auto known = canary_ends_.find(
        wire::release_progress_key(campaign.id, wave.number(), static_cast<std::int32_t>(span.partition())));
    return known != canary_ends_.end() && known->second.last_row == *canary ? known->second.at : span.end_offset();
}

void releaser::note_held(const pass& p) {
    for (const auto& s : p.todo.stretches) {
        if (const auto found = reader_.held().find(s.partition); found != reader_.held().end()) {
            canary_ends_.insert_or_assign(wire::release_progress_key(p.campaign->id, p.wave.number(), s.partition),
                                          canary_end{.last_row = s.last_row, .at = found->second});
        }
    }
}

position releaser::position_of(const catalog::campaign& campaign, const v1::Wave& wave,
                               const v1::AudienceSpan& span) const {
    const auto found = positions_.find(
        wire::release_progress_key(campaign.id, wave.number(), static_cast<std::int32_t>(span.partition())));
    if (found != positions_.end()) {
        return found->second;
    }
    return position{span.start_offset(), earlier_waves(campaign.state, wave.number())};
}

} // namespace semel::plan
