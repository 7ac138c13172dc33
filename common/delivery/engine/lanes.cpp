#include "lanes.hpp"

#include <base/codes.hpp>
#include <delivery/core/standstill.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// An SMS says how its parts fared; of any other message nothing is counted.
bool counted(const submissions& parts) noexcept {
    return parts.accepted + parts.refused > 0;
}

double load_of(const lane& l) {
    return static_cast<double>(l.active) / static_cast<double>(l.busy_at);
}

} // namespace

lanes::lanes(std::vector<lane_config> configs, const std::string& bucket_prefix, const tokens& tokens, clock& clock,
             telemetry::logger& log)
    : tokens_(tokens)
    , clock_(clock)
    , log_(log) {
    for (auto& config : configs) {
        lane l;
        l.gateway = std::move(config.gateway);
        l.bucket = bucket_prefix + l.name();
        l.per_second = config.per_second;
        l.domains = std::move(config.domains);
        // A few more than the window keep every session busy; under a slow rate half a second's worth wait for tokens.
        const auto busy = static_cast<double>(l.gateway->window() + l.gateway->window() / 4 + 2);
        l.busy_at = static_cast<std::size_t>(l.per_second > 0 ? std::clamp(l.per_second / 2, 2.0, busy) : busy);
        lanes_.push_back(std::move(l));
    }
}

std::size_t lanes::most_active() const noexcept {
    std::size_t all = 0;
    for (const auto& l : lanes_) {
        all += l.busy_at;
    }
    // Behind a lane at its limit messages wait for a moment, and must not keep those of other lanes from being read.
    return std::clamp<std::size_t>(lanes_.size() > 1 ? 2 * all : all, 2, 4'096);
}

std::size_t lanes::window() const noexcept {
    std::size_t all = 0;
    for (const auto& l : lanes_) {
        all += l.gateway->window();
    }
    return all;
}

std::vector<std::string> lanes::names() const {
    std::vector<std::string> all;
    for (const auto& l : lanes_) {
        all.push_back(l.name());
    }
    return all;
}

std::expected<lane*, lanes::none> lanes::choose(const outbound& out, const v1::Dispatch& d) {
    const auto now = clock_.now();
    const auto& pinned = d.pinned_gateway();
    if (!pinned.empty() && std::ranges::none_of(lanes_, [&](const lane& l) { return l.name() == pinned; })) {
        // In doubt at a gateway that semel.yaml has no more: another one would send it a second time.
        if (missing_.insert(pinned).second) {
            log_.error("gateway.missing",
                       {{"gateway", pinned}, {"then", "what is in doubt there waits until it is in semel.yaml again"}});
        }
        return std::unexpected{none{10min}};
    }
    lane* best = nullptr;
    none closed;
    for (auto& l : lanes_) {
        if (!l.gateway->serves(out) || (!pinned.empty() && pinned != l.name())) {
            continue;
        }
        if (!l.takes(now)) {
            const auto away = shut_for(l);
            closed.wait = std::min(away, closed.wait.value_or(away));
        } else if (best == nullptr || load_of(l) < load_of(*best)) {
            best = &l;
        }
    }
    if (best == nullptr) {
        return std::unexpected{closed};
    }
    return best;
}

/// One that fails for long is asked by few: the shortest retry tier, filled with what waits for it, would hold up the
/// other gateways of the channel (plan/core/pacing).
milliseconds lanes::shut_for(const lane& l) const {
    constexpr base::duration at_once = 5s;
    const auto now = clock_.now();
    const auto failing = l.breaker.failing_for(now);
    const auto least = failing >= 10min ? 10min : failing >= at_once ? 1min : 0min;
    return std::max<milliseconds>(least, std::chrono::duration_cast<milliseconds>(l.breaker.blocked_until() - now));
}

bool lanes::alone(const outbound& out, const v1::Dispatch& d) const {
    return !d.pinned_gateway().empty() ||
           std::ranges::count_if(lanes_, [&](const lane& l) { return l.gateway->serves(out); }) == 1;
}

std::size_t lanes::most_in(const lane& l) const {
    const auto share = lanes_.size() < 2 ? std::nullopt : tokens_.share(l.bucket);
    return share ? std::clamp<std::size_t>(static_cast<std::size_t>(*share / 2) + 2, 2, l.busy_at)
                 : std::numeric_limits<std::size_t>::max();
}

bool lanes::has_room(const lane& l) const {
    return l.active < std::min(most_in(l), l.pace.room());
}

bool lanes::left_lying(const v1::Dispatch& d) const {
    return !d.waits_for().empty() && std::ranges::any_of(lanes_, [&](const lane& l) {
        return l.name() == d.waits_for() && l.takes(clock_.now()) && !has_room(l);
    });
}

bool lanes::others_busy(const lane& l, base::duration within) const {
    const auto now = clock_.now();
    return std::ranges::any_of(lanes_, [&](const lane& o) { return &o != &l && now - o.entered < within; });
}

bool lanes::any_takes() const {
    const auto now = clock_.now();
    return std::ranges::any_of(lanes_, [&](const lane& l) { return l.takes(now); });
}

std::vector<trouble::entry> lanes::troubles() const {
    std::vector<trouble::entry> out;
    for (const auto& l : lanes_) {
        if (auto e = standstill({l.name(), l.per_second, l.breaker, l.blame, l.pace}, clock_.now())) {
            out.push_back(std::move(*e));
        }
    }
    for (const auto& name : missing_) {
        out.push_back({.subject = name,
                       .what = trouble::kind::stopped,
                       .since = {},
                       .words = "not in semel.yaml, and messages in doubt wait for it: put it back"});
    }
    return out;
}

void lanes::raise_alarm(lane& l, std::string_view what, const verdict& v) {
    if (!l.alarmed) {
        l.alarmed = true;
        log_.error(what, {{"gateway", l.name()}, {"code", v.code}, {"text", v.text}});
    }
}

/// An ambiguous refusal becomes the recipient's, or stays one: then the message waits. It stops the lane only together
/// with others.
verdict lanes::find_blame(lane& l, const addressed& about, verdict v) {
    const auto now = clock_.now();
    const blame::refusal refusal{.notification = about.dispatch.notification(),
                                 .campaign = about.dispatch.campaign_id(),
                                 .domain = about.domain,
                                 .code = v.code,
                                 .again = about.dispatch.refused_before(),
                                 .by_us = v.code.starts_with(codes::prefix)};
    switch (l.blame.refused(refusal, now)) {
    case blame::finding::open:
        break;
    case blame::finding::recipient:
        v.what = verdict::kind::permanent;
        break;
    case blame::finding::lane:
        l.breaker.suspect(now, v.code + " " + v.text);
        raise_alarm(l, "lane.suspected", v);
        break;
    }
    return v;
}

/// One recipient's refusal slows nothing down, nor does one session's: the pace looks at the share of refusals, and
/// many recipients at once are refused because we are too fast, whatever the gateway calls it.
void lanes::tell_throttled(lane& l, const addressed& about, const verdict& v) {
    const auto now = clock_.now();
    l.pace.throttled(about.domain, about.sent, now, v.parts.refused > 0 ? v.parts : submissions{.refused = 1});
    if (v.concerns == verdict::reach::message) {
        return;
    }
    if (v.asked && v.concerns == verdict::reach::lane) {
        l.breaker.pause_until(now + *v.retry_after);
    } else if (l.breaker.unproven()) {
        l.breaker.failed(now); // it is not back yet
    }
}

/// An answer of any other kind: the pace was none too fast for it.
void lanes::tell_not_throttled(lane& l, const addressed& about, const verdict& v) {
    if (about.released) {
        l.pace.accepted(about.domain, about.sent, clock_.now(),
                        counted(v.parts) ? v.parts : submissions{.accepted = 1});
    }
}

verdict lanes::heed(lane& l, const addressed& about, verdict v) {
    const auto now = clock_.now();
    if (v.rest_after) { // the message is not decided; the pace hears of each submission at once
        tell_not_throttled(l, about, v);
        return v;
    }
    switch (v.what) {
    case verdict::kind::accepted:
        l.blame.accepted(about.dispatch.campaign_id(), about.domain, now);
        l.breaker.clear();
        tell_not_throttled(l, about, v);
        l.alarmed = false;
        break;
    case verdict::kind::permanent:
        l.breaker.succeeded();
        tell_not_throttled(l, about, v);
        l.alarmed = false;
        break;
    case verdict::kind::transient:
        tell_not_throttled(l, about, v);
        l.breaker.failed(now);
        break;
    case verdict::kind::unknown:
        if (counted(v.parts)) { // given up with parts refused; of what was never answered the pace hears nothing
            tell_not_throttled(l, about, v);
        }
        l.breaker.failed(now);
        break;
    case verdict::kind::throttled:
        tell_throttled(l, about, v);
        break;
    case verdict::kind::lane_stop:
        l.breaker.stop(now, v.code + " " + v.text);
        raise_alarm(l, "lane.stopped", v);
        break;
    case verdict::kind::ambiguous:
        tell_not_throttled(l, about, v);
        return find_blame(l, about, std::move(v));
    }
    return v;
}

passage::passage(lanes& all, lane& in, base::instant now)
    : all_(&all)
    , in_(&in)
    , probe_(in.breaker.unproven()) {
    ++in.active;
    in.entered = now;
    in.probing = in.probing || probe_;
    all_->traffic.changed();
}

passage::passage(passage&& other) noexcept
    : all_(other.all_)
    , in_(std::exchange(other.in_, nullptr))
    , probe_(other.probe_) {}

passage::~passage() {
    if (in_ != nullptr) {
        --in_->active;
        in_->probing = in_->probing && !probe_;
        all_->traffic.changed();
    }
}

} // namespace semel::delivery
