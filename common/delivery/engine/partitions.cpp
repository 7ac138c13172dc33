#include "partitions.hpp"

#include <span>
#include <utility>

namespace semel::delivery {

partitions::partitions(log_reader& reader, clock& clock, telemetry::logger& log, std::size_t fetched)
    : reader_(reader)
    , clock_(clock)
    , log_(log)
    , fetched_(fetched) {}

void partitions::add(const std::vector<partition_ptr>& gained) {
    for (const auto& p : gained) {
        by_place_[p->at] = p;
    }
    order_.clear();
    for (const auto& [at, p] : by_place_) {
        order_.push_back(p);
    }
}

void partitions::remove(const std::vector<partition_ptr>& gone) {
    for (const auto& p : gone) {
        by_place_.erase(p->at);
    }
    add({});
}

partition_ptr partitions::find(const kafka::topic_partition& at) const {
    const auto found = by_place_.find(at);
    return found == by_place_.end() ? nullptr : found->second;
}

partition_ptr partitions::next() noexcept {
    last_given_ = (last_given_ + 1) % order_.size();
    return order_[last_given_];
}

void partitions::enqueue(partition& p, item i) {
    p.waiting.put(std::move(i));
    balance_fetching(p);
}

item partitions::take_front(partition& p) {
    auto first = p.waiting.take_front();
    balance_fetching(p);
    return first;
}

void partitions::balance_fetching(partition& p) {
    auto& waiting = p.waiting;
    const bool full = waiting.items.size() >= fetched_;
    if (full && !waiting.paused) {
        reader_.pause(std::span{&p.at, 1});
        waiting.paused = true;
    } else if (waiting.paused && waiting.items.size() < fetched_ / 2) {
        reader_.resume(std::span{&p.at, 1});
        waiting.paused = false;
    }
}

void partitions::lose(partition& p, std::string_view why) {
    if (p.lose(clock_.now())) {
        log_.warn("partition.lost", {{"topic", p.at.topic}, {"partition", p.at.partition}, {"why", why}});
    }
}

} // namespace semel::delivery
