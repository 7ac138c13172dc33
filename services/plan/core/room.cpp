#include "room.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace semel::plan {
namespace {

/// Messages a second that its deadline asks for. Its last second counts as a whole one.
double urgency_of(const applicant& a) {
    const auto seconds = std::chrono::duration<double>(a.time).count();
    return std::max(a.left, 0.0) / std::max(seconds, 1.0);
}

/// They add up to one.
std::vector<double> weights_of(std::span<const applicant> all) {
    std::vector<double> weights(all.size());
    std::ranges::transform(all, weights.begin(), urgency_of);
    const auto whole = std::accumulate(weights.begin(), weights.end(), 0.0);
    const auto alike = 1.0 / static_cast<double>(all.size());
    for (auto& w : weights) {
        w = whole > 0 ? 0.5 * alike + 0.5 * w / whole : alike;
    }
    return weights;
}

} // namespace

std::vector<double> divided(double room, std::span<const applicant> all) {
    std::vector<double> parts(all.size());
    if (room <= 0 || all.empty()) {
        return parts;
    }
    const auto weights = weights_of(all);
    std::vector<std::size_t> open(all.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    auto rest = room;
    // Who wants less than its part gets that, which leaves larger parts for the others: until nobody wants less.
    while (!open.empty()) {
        const auto whole =
            std::accumulate(open.begin(), open.end(), 0.0, [&](double sum, std::size_t i) { return sum + weights[i]; });
        const auto unit = rest / whole;
        const auto sated =
            std::ranges::partition(open, [&](std::size_t i) { return all[i].wants > unit * weights[i]; });
        if (sated.empty()) {
            for (const auto i : open) {
                parts[i] = unit * weights[i];
            }
            return parts;
        }
        for (const auto i : sated) {
            parts[i] = std::max(all[i].wants, 0.0);
            rest -= parts[i];
        }
        open.erase(sated.begin(), sated.end());
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        parts[i] += std::max(rest, 0.0) * weights[i];
    }
    return parts;
}

void shared_room::begin(double room, std::span<const applicant> all) {
    const auto parts = divided(room, all);
    std::map<std::string, double> next;
    for (std::size_t i = 0; i < all.size(); ++i) {
        next[all[i].campaign] = parts[i] + std::min(left(all[i].campaign), 0.0);
    }
    left_ = std::move(next);
}

double shared_room::left(const std::string& campaign) const {
    const auto found = left_.find(campaign);
    return found == left_.end() ? 0 : found->second;
}

void shared_room::spend(const std::string& campaign, double messages) {
    if (const auto found = left_.find(campaign); found != left_.end()) {
        found->second -= messages;
    }
}

} // namespace semel::plan
