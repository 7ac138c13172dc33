#include "blame.hpp"

#include <algorithm>

namespace semel::delivery {

namespace {

// What a peer may make us remember. Beyond it nothing is learned, and nobody is blamed.
constexpr std::size_t most_answers = 32;
constexpr std::size_t most_parts = 1'000;

std::string of_campaign(std::string_view id) {
    return "c" + std::string{id};
}
std::string of_domain(std::string_view name) {
    return "d" + std::string{name};
}

} // namespace

void blame::note(const refusal& r) {
    recent_.emplace_back(r.code);
    if (recent_.size() > policy_.recent) {
        recent_.pop_front();
    }
    if (of_lane_.size() < most_answers || of_lane_.contains(r.code)) {
        auto& t = of_lane_[std::string{r.code}];
        if (t.recipients.size() < policy_.of_one_domain) {
            t.recipients.emplace(r.notification);
        }
        if (t.domains.size() < 2) {
            t.domains.emplace(r.domain);
        }
    }
    note_part(of_campaign(r.campaign), r);
    if (!r.domain.empty()) {
        note_part(of_domain(r.domain), r);
    }
}

void blame::note_part(std::string part, const refusal& r) {
    auto place = std::pair{std::move(part), std::string{r.code}};
    if (of_part_.size() < most_parts || of_part_.contains(place)) {
        if (auto& of_it = of_part_[std::move(place)]; of_it.size() < policy_.of_one_campaign) {
            of_it.emplace(r.notification);
        }
    }
}

bool blame::whole(std::string part, std::string_view code, std::size_t most) const {
    const auto found = of_part_.find({std::move(part), std::string{code}});
    return found != of_part_.end() && found->second.size() >= most;
}

void blame::clear_part(const std::string& part) {
    const auto from = of_part_.lower_bound({part, {}});
    of_part_.erase(from, std::find_if(from, of_part_.end(), [&](const auto& p) { return p.first.first != part; }));
}

bool blame::of_us(const tally& t, base::instant now) const {
    const bool one_domain = t.domains.size() == 1 && !t.domains.begin()->empty();
    return one_domain ? t.recipients.size() >= policy_.of_one_domain && !proven(now)
                      : t.recipients.size() >= policy_.recipients;
}

std::optional<blame::suspicion> blame::suspected(base::instant now) const {
    const auto found = std::ranges::find_if(of_lane_, [&](const auto& answer) { return of_us(answer.second, now); });
    return found == of_lane_.end()
               ? std::nullopt
               : std::optional{suspicion{.code = found->first, .recipients = found->second.recipients.size()}};
}

blame::finding blame::refused(const refusal& r, base::instant now) {
    if (!r.again) {
        note(r);
        const auto same = of_lane_.find(r.code);
        return same != of_lane_.end() && of_us(same->second, now) ? finding::lane : finding::open;
    }
    const auto alike = static_cast<std::size_t>(std::ranges::count(recent_, r.code));
    const bool ours = r.by_us || !proven(now) || suspected(now) || alike >= policy_.too_many ||
                      whole(of_campaign(r.campaign), r.code, policy_.of_one_campaign) ||
                      whole(of_domain(r.domain), r.code, policy_.recipients);
    return ours ? finding::open : finding::recipient;
}

void blame::accepted(std::string_view campaign, std::string_view domain, base::instant now) {
    accepted_at_ = now;
    of_lane_.clear();
    recent_.emplace_back();
    if (recent_.size() > policy_.recent) {
        recent_.pop_front();
    }
    if (!of_part_.empty()) {
        clear_part(of_campaign(campaign));
        clear_part(of_domain(domain));
    }
}

} // namespace semel::delivery
