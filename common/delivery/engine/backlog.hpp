#pragma once
// What of a partition lies in memory: arrived, not started, in order. Pure.

#include <base/instant.hpp>
#include <kafka/types.hpp>
#include <semel/v1/delivery.pb.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace semel::delivery {

/// A record of dispatch.* or retry.*.
struct item {
    kafka::offset at = 0;
    v1::Dispatch dispatch;
    base::instant due = {};      // not to be sent before
    std::string unreadable = {}; // why the record cannot be used; then `raw` has its bytes
    std::string raw = {};
    std::uint32_t parts = 0;  // of the message, once it is known
    bool claim_asked = false; // a claim was asked for and no answer came
};

struct backlog {
    std::deque<item> items;
    bool paused = false; ///< fetching
    /// Of records parked before it, none stays at the front: some campaign is no longer paused, and its records may
    /// stand behind. What a former owner saw of this is not known.
    std::int64_t parked_round_us = 0;

    bool empty() const noexcept { return items.empty(); }
    const item& front() const { return items.front(); }
    /// At the end, but for what was inherited, or given back.
    void put(item i) {
        const auto place = items.empty() || items.back().at < i.at
                               ? items.end()
                               : std::ranges::lower_bound(items, i.at, {}, &item::at);
        items.insert(place, std::move(i));
    }
    item take_front() {
        item first = std::move(items.front());
        items.pop_front();
        return first;
    }
};

} // namespace semel::delivery
