// Which lane carries a message, how fast, and what an answer says of it.

#include "engine_impl.hpp"

#include <base/codes.hpp>
#include <delivery/core/standstill.hpp>

#include <algorithm>
#include <limits>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

// Behind a lane at its limit, so that the messages of other lanes are read meanwhile; and when no other has any.
constexpr auto patience_for_lane = 1'000ms;
constexpr auto patience_without_others = 3'000ms;

} // namespace

lane* engine::impl::choose(const outbound& out, const v1::Dispatch& d, base::instant now, milliseconds& wait) {
    lane* best = nullptr;
    wait = milliseconds{-1};
    const auto& pinned = d.pinned_gateway();
    if (!pinned.empty() && std::ranges::none_of(lanes, [&](const lane& l) { return l.gateway->name() == pinned; })) {
        // In doubt at a gateway that semel.yaml has no more: another one would send it a second time.
        wait = 10min;
        if (missing.insert(pinned).second) {
            log.error("gateway.missing",
                      {{"gateway", pinned}, {"then", "what is in doubt there waits until it is in semel.yaml again"}});
        }
        return nullptr;
    }
    for (auto& l : lanes) {
        if (!l.gateway->serves(out) || (!pinned.empty() && pinned != l.gateway->name())) {
            continue;
        }
        if (!l.takes(now)) {
            const auto left = std::max(0ms, std::chrono::duration_cast<milliseconds>(l.breaker.blocked_until() - now));
            wait = wait < 0ms ? left : std::min(wait, left);
            continue;
        }
        const auto load = [](const lane& x) { return static_cast<double>(x.active) / static_cast<double>(x.busy_at); };
        if (best == nullptr || load(l) < load(*best)) {
            best = &l;
        }
    }
    return best;
}

/// A lane at its limit holds no more than it sends in half a second. Otherwise this process would soon hold nothing but
/// messages that wait for that lane.
std::size_t engine::impl::room(const lane& l) const {
    const auto share = lanes.size() < 2 ? std::nullopt : rates.share(l.bucket);
    return share ? std::clamp<std::size_t>(static_cast<std::size_t>(*share / 2) + 2, 2, l.busy_at)
                 : std::numeric_limits<std::size_t>::max();
}

/// Known to wait for a lane that has no room: started now, it would take the slot of a message of another lane only to
/// be put back. What lies behind it waits for the same lane (retry_partition).
bool engine::impl::left_lying(const v1::Dispatch& d, base::instant now) const {
    return !d.waits_for().empty() && std::ranges::any_of(lanes, [&](const lane& l) {
        return l.gateway->name() == d.waits_for() && l.takes(now) && l.active >= room(l);
    });
}

/// Waits for room. False: the message is to come again later.
asio::awaitable<bool> engine::impl::admitted(lane& l, const partition& p) {
    const auto began = steady::now();
    while (p.ours() && l.active >= room(l)) {
        const auto now = steady::now();
        const bool others = std::ranges::any_of(
            lanes, [&](const lane& o) { return &o != &l && now - o.entered < patience_without_others; });
        if (now - began >= (others ? patience_for_lane : patience_without_others)) {
            co_return false;
        }
        co_await runtime::sleep(20ms);
    }
    co_return true;
}

/// The gateway takes less than semel.yaml allows: in line behind the others.
asio::awaitable<engine::impl::paced> engine::impl::keep_pace(lane& l, std::string_view domain, partition_ptr p) {
    const auto wait = l.pace.take(domain, base::instant_now(), patience_for_tokens);
    if (!wait) {
        co_return paced::later;
    }
    if (*wait > base::duration{}) {
        co_await runtime::sleep(std::chrono::ceil<milliseconds>(*wait));
    }
    co_return p->ours() ? paced::yes : paced::withdrawn;
}

/// The claim may have taken longer than a token lasts. A token that was held up (by busy cores, say) would send in this
/// second what belonged to an earlier one.
asio::awaitable<void> engine::impl::renew(lane& l, steady::time_point taken) {
    const auto until = steady::now() + patience_for_tokens;
    while (l.per_second > 0 && steady::now() - taken > rates::token_life && steady::now() < until) {
        if (const auto again = co_await rates.take(l.bucket, l.per_second, patience_for_tokens, {.first = true})) {
            taken = *again;
        }
    }
}

asio::awaitable<std::optional<milliseconds>> engine::impl::take_tokens(lane& l, const outbound& out,
                                                                       std::string_view domain,
                                                                       std::uint32_t campaign_rate,
                                                                       std::function<bool()> wanted) {
    if (!l.domains.empty()) {
        if (const auto found = l.domains.find(std::string{domain}); found != l.domains.end()) {
            auto of_domain = l.bucket + ":" + found->first;
            const auto token =
                co_await rates.take(std::move(of_domain), found->second, patience_for_tokens, {.wanted = wanted});
            if (!token) {
                co_return token.error();
            }
        }
    }
    if (campaign_rate > 0) {
        auto of_campaign = options.prefix + "campaign:" + out.campaign.value();
        const auto token =
            co_await rates.take(std::move(of_campaign), campaign_rate, patience_for_tokens, {.wanted = wanted});
        if (!token) {
            co_return token.error();
        }
    }
    co_return std::nullopt;
}

std::vector<trouble::entry> engine::impl::troubles() const {
    std::vector<trouble::entry> out;
    for (const auto& l : lanes) {
        if (auto e = standstill({l.gateway->name(), l.per_second, l.breaker, l.blame, l.pace}, base::instant_now())) {
            out.push_back(std::move(*e));
        }
    }
    for (const auto& name : missing) {
        out.push_back({.subject = name,
                       .what = trouble::kind::stopped,
                       .since = {},
                       .words = "not in semel.yaml, and messages in doubt wait for it: put it back"});
    }
    return out;
}

void engine::impl::alarm(lane& l, std::string_view what, const verdict& v) {
    if (!l.alarmed) {
        l.alarmed = true;
        log.error(what, {{"gateway", l.gateway->name()}, {"code", v.code}, {"text", v.text}});
    }
}

/// An ambiguous refusal becomes the recipient's, or stays one: then the message waits. It stops the lane only together
/// with others.
verdict engine::impl::find_blame(lane& l, const v1::Dispatch& d, std::string_view domain, verdict v) {
    const auto now = base::instant_now();
    const blame::refusal refusal{.notification = d.notification(),
                                 .campaign = d.campaign_id(),
                                 .domain = domain,
                                 .code = v.code,
                                 .again = d.refused_before(),
                                 .by_us = v.code.starts_with(codes::prefix)};
    switch (l.blame.refused(refusal, now)) {
    case blame::finding::open:
        break;
    case blame::finding::recipient:
        v.what = verdict::kind::permanent;
        break;
    case blame::finding::lane:
        l.breaker.suspect(now, v.code + " " + v.text);
        alarm(l, "lane.suspected", v);
        break;
    }
    return v;
}

/// What the answer says of the lane; and, where that decides it, what it says of the message.
verdict engine::impl::heed(lane& l, const v1::Dispatch& d, std::string_view domain, base::instant sent, verdict v) {
    const auto now = base::instant_now();
    switch (v.what) {
    case verdict::kind::accepted:
        l.blame.accepted(d.campaign_id(), domain, now);
        l.breaker.clear();
        l.pace.accepted(domain, sent, now);
        l.alarmed = false;
        break;
    case verdict::kind::permanent:
        l.breaker.succeeded();
        l.alarmed = false;
        break;
    case verdict::kind::transient:
    case verdict::kind::unknown:
        l.breaker.failed(now);
        break;
    case verdict::kind::throttled:
        if (v.concerns == verdict::reach::message) {
            break;
        }
        l.pace.throttled(domain, sent, now);
        if (v.asked && v.concerns == verdict::reach::lane) {
            l.breaker.pause_until(now + *v.retry_after);
        } else if (l.breaker.unproven()) {
            l.breaker.failed(now); // it is not back yet
        }
        break;
    case verdict::kind::lane_stop:
        l.breaker.stop(now, v.code + " " + v.text);
        alarm(l, "lane.stopped", v);
        break;
    case verdict::kind::ambiguous:
        return find_blame(l, d, domain, std::move(v));
    }
    return v;
}

} // namespace semel::delivery
