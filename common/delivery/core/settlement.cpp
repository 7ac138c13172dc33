#include "settlement.hpp"

#include <base/codes.hpp>
#include <wire/topics.hpp>

#include <algorithm>

namespace semel::delivery {

namespace {
constexpr std::size_t longest_unclear = 2; // ten minutes
} // namespace

std::size_t tier_for(std::chrono::milliseconds wait) noexcept {
    std::size_t tier = 0;
    while (tier + 1 < wire::tiers.size() && wire::tiers[tier + 1].wait <= wait) {
        ++tier;
    }
    return tier;
}

std::size_t tier_after(std::uint32_t tries) noexcept {
    return std::min<std::size_t>(std::max<std::uint32_t>(tries, 1) - 1, wire::tiers.size() - 1);
}

settlement judge(const verdict& v, const v1::Dispatch& d, std::optional<base::timestamp> now) {
    settlement s;
    s.code = v.code;
    s.text = v.text;
    switch (v.what) {
    case verdict::kind::accepted:
        s.what = settlement::kind::accepted;
        return s;
    case verdict::kind::permanent:
        s.what = settlement::kind::failed;
        return s;
    case verdict::kind::unknown:
        return s;
    case verdict::kind::lane_stop:
        s.what = settlement::kind::deferred;
        s.sent = true;
        s.tier = tier_for(std::chrono::minutes{1});
        return s;
    case verdict::kind::ambiguous:
        s.ambiguous = true;
        break;
    case verdict::kind::transient:
    case verdict::kind::throttled:
        break;
    }
    s.what = settlement::kind::deferred;
    s.sent = true;
    s.counts = true;
    s.tier = v.what == verdict::kind::throttled ? 0 : tier_after(d.tries() + 1);
    if (s.ambiguous) {
        s.tier = std::min<std::size_t>(s.tier, longest_unclear); // once it is known, or mended, soon
    }
    if (v.retry_after) {
        s.tier = std::max(s.tier, tier_for(*v.retry_after));
    }
    if (now && d.give_up_us() != 0 && *now + wire::tiers[s.tier].wait > base::from_us(d.give_up_us())) {
        s.what = settlement::kind::failed;
        s.text = "no time is left for another try; the last answer was: " + s.code + " " + s.text;
        s.code = codes::expired;
    }
    return s;
}

standing standing_of(v1::CampaignPhase phase, const v1::Dispatch& d, std::optional<base::timestamp> now) {
    if (phase == v1::CAMPAIGN_CANCELLED) {
        return standing::cancelled;
    }
    if (now && d.give_up_us() != 0 && *now > base::from_us(d.give_up_us())) {
        return standing::expired;
    }
    // A test of a paused campaign is how one sees that the cause is mended.
    if (!d.test() && phase == v1::CAMPAIGN_PAUSED) {
        return standing::paused;
    }
    return now ? standing::wanted : standing::unclear;
}

settlement turned_away(standing why, const v1::Dispatch&) {
    switch (why) {
    case standing::cancelled:
        return {.what = settlement::kind::failed, .code = codes::cancelled, .text = "the campaign was cancelled"};
    case standing::expired:
        return {.what = settlement::kind::failed, .code = codes::expired, .text = "the deadline had passed"};
    case standing::paused:
    case standing::unclear:
    case standing::wanted:
        break;
    }
    auto s = postponed(std::chrono::milliseconds{0}, codes::paused);
    s.parked = true;
    return s;
}

settlement postponed(std::chrono::milliseconds wait, std::string code) {
    return {.what = settlement::kind::deferred, .code = std::move(code), .text = {}, .tier = tier_for(wait)};
}

std::chrono::milliseconds in_time(std::chrono::milliseconds wait, const v1::Dispatch& d,
                                  std::optional<base::timestamp> now) noexcept {
    if (!now || d.give_up_us() == 0) {
        return wait;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(base::from_us(d.give_up_us()) - *now);
    return std::min(wait, left / 2);
}

v1::Dispatch again(const v1::Dispatch& d, const settlement& s, base::timestamp now) {
    v1::Dispatch next = d;
    if (s.sent) {
        next.set_attempt(d.attempt() + 1);
    }
    if (s.counts) {
        next.set_tries(d.tries() + 1);
    }
    if (s.ambiguous) {
        next.set_refused_before(true);
    }
    next.set_waits_for(s.waits_for);
    next.set_parked_us(s.parked ? base::to_us(now) : 0);
    next.set_not_before_us(base::to_us(s.parked ? now : now + wire::tiers[s.tier].wait));
    return next;
}

std::int32_t retry_partition(std::int32_t of_source, std::size_t lane, std::size_t lanes,
                             std::int32_t partitions) noexcept {
    const auto n = static_cast<std::int32_t>(lanes);
    const auto own = static_cast<std::int32_t>(lane);
    const auto near = of_source - of_source % n + own;
    return near < partitions ? near : own % partitions;
}

base::duration wait_left(std::string_view topic, const v1::Dispatch& d, base::timestamp now) {
    const auto tier = std::ranges::find_if(
        wire::tiers, [&](const wire::tier& t) { return topic.ends_with("." + std::string{t.name}); });
    const base::duration longest = tier == wire::tiers.end() ? base::duration{} : tier->wait;
    return std::clamp(base::from_us(d.not_before_us()) - now, base::duration{}, longest);
}

} // namespace semel::delivery
