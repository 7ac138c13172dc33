#include "lane_pace.hpp"

#include <algorithm>
#include <limits>

namespace semel::delivery {

namespace {

adaptive_limit::policy from(adaptive_limit::policy limits, double start) {
    limits.start = start;
    return limits;
}

} // namespace

/// A domain is found slow beside others; only a gateway is felt for.
lane_pace::lane_pace(policy p)
    : policy_(p)
    , gateway_(from(p.limits, p.start)) {}

void lane_pace::accepted(std::string_view domain, base::instant sent, base::instant now, submissions how) {
    fade(now);
    ++all_.answers;
    gateway_.heard(how, sent, now);
    if (auto* p = part_of(domain)) {
        ++p->recent.answers;
        p->limit.heard(how, sent, now);
    }
}

void lane_pace::throttled(std::string_view domain, base::instant sent, base::instant now, submissions how) {
    fade(now);
    ++all_.answers;
    ++all_.refusals;
    auto* p = part_of(domain);
    if (p != nullptr) {
        ++p->recent.answers;
        ++p->recent.refusals;
    }
    if (p != nullptr && is_its_own(*p)) {
        p->limit.heard(how, sent, now);
    } else {
        gateway_.heard(how, sent, now);
    }
}

std::optional<base::duration> lane_pace::take_of(std::string_view domain, base::instant now, base::duration most) {
    const auto found = parts_.find(domain);
    return found == parts_.end() ? base::duration{} : found->second.limit.take(now, most);
}

std::optional<base::duration> lane_pace::take(base::instant now, base::duration most, unsigned places) {
    each_ = std::max(places, 1U);
    return gateway_.take(now, most, places);
}

base::duration lane_pace::take_rest(base::instant now, unsigned places) {
    return *gateway_.take(now, base::duration::max(), places);
}

std::optional<double> lane_pace::limit() const noexcept {
    const auto found = gateway_.limit();
    return found ? std::optional{*found / each_} : std::nullopt;
}

std::size_t lane_pace::room() const noexcept {
    const auto pace = gateway_.pace();
    return pace ? static_cast<std::size_t>(*pace * 2 / each_) + 2 : std::numeric_limits<std::size_t>::max();
}

std::vector<lane_pace::slow_domain> lane_pace::slow_domains() const {
    std::vector<slow_domain> out;
    for (const auto& [name, p] : parts_) {
        if (const auto limit = p.limit.limit()) {
            out.push_back({.name = name, .per_second = *limit, .answers = p.recent.answers});
        }
    }
    std::ranges::sort(out, {}, &slow_domain::per_second);
    return out;
}

/// Halved every half_life, and forgotten when nothing of it is left: domains come from outside, and are many.
void lane_pace::fade(base::instant now) {
    if (faded_ == base::instant{}) {
        faded_ = now;
    }
    if (now - faded_ < policy_.half_life) {
        return;
    }
    faded_ = now;
    const auto halve = [](tally& t) {
        t.answers /= 2;
        t.refusals /= 2;
    };
    halve(all_);
    for (auto& [name, p] : parts_) {
        halve(p.recent);
    }
    std::erase_if(parts_,
                  [](const auto& entry) { return entry.second.recent.answers < 0.1 && !entry.second.limit.limit(); });
}

lane_pace::part* lane_pace::part_of(std::string_view domain) {
    if (domain.empty()) {
        return nullptr;
    }
    if (const auto found = parts_.find(domain); found != parts_.end()) {
        return &found->second;
    }
    if (parts_.size() >= policy_.domains) {
        return nullptr; // it shares the gateway's limit
    }
    return &parts_.try_emplace(std::string{domain}, part{.recent = {}, .limit = adaptive_limit{policy_.limits}})
                .first->second;
}

bool lane_pace::is_its_own(const part& p) const noexcept {
    return p.recent.refusals * all_.answers > policy_.concentrated * all_.refusals * p.recent.answers;
}

} // namespace semel::delivery
