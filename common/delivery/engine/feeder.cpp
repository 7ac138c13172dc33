#include "feeder.hpp"

#include <algorithm>
#include <utility>

namespace semel::delivery {

feeder::feeder(const ports& p, partitions& all, const parking& parked, const lanes& ways, outbox& out, courier& by,
               spawner spawn)
    : ports_(p)
    , partitions_(all)
    , parking_(parked)
    , lanes_(ways)
    , outbox_(out)
    , courier_(by)
    , spawn_(std::move(spawn))
    , most_(ways.most_active()) {}

/// While Redis is away, or the time is not certain, sending pauses.
bool feeder::may_send() const {
    return !stopped_ && ports_.store.trouble().empty() && ports_.clock.time().certain;
}

bool feeder::may_start(const partition& p, base::instant now) const {
    if (!p.is_open() || p.waiting.empty()) {
        return false;
    }
    const auto& first = p.waiting.front();
    return p.window.sendable(first.at) && first.due <= now && !lanes_.left_lying(first.dispatch) &&
           !parking_.stays(p, first);
}

bool feeder::only_a_commit_helps(const partition& p, base::instant now) const {
    if (!p.is_open() || p.waiting.empty()) {
        return false;
    }
    const auto& first = p.waiting.front();
    return first.due <= now && !p.window.sendable(first.at) && !parking_.stays(p, first);
}

void feeder::feed() {
    // While every lane is shut, records stay where they are instead of going round through retry.*. A delivery that
    // ends at once feeds again from inside spawn(): one loop, not one stack frame for each record.
    if (inside_ || !may_send()) {
        return;
    }
    const auto now = ports_.clock.now();
    const auto& all = partitions_.all();
    inside_ = true;
    came_back_ = false;
    // What comes back at once would be started again at once, and the strand would do nothing else any more: a host
    // that slept in this loop no longer knows the time. tick() tries again.
    for (std::size_t idle = 0; started_ < most_ && idle < all.size() && lanes_.any_takes() && !came_back_;) {
        const auto source = partitions_.next();
        if (!may_start(*source, now)) {
            ++idle;
            continue;
        }
        idle = 0;
        at_work counted{partitions_, source, &workload::active};
        ++started_;
        if (!spawn_("deliver", deliver(source, partitions_.take_front(*source), std::move(counted)))) {
            --started_;
            break;
        }
    }
    inside_ = false;
    if (started_ < most_ &&
        std::ranges::any_of(all, [&](const partition_ptr& p) { return only_a_commit_helps(*p, now); })) {
        outbox_.hurry();
    }
}

asio::awaitable<void> feeder::deliver(partition_ptr p, item message, at_work counted) {
    {
        struct ending_of_one {
            std::size_t& started;
            ~ending_of_one() { --started; }
        } const here{started_};
        const at_work until_here{std::move(counted)};
        came_back_ = !co_await courier_.deliver(p, message);
    }
    feed();
}

} // namespace semel::delivery
