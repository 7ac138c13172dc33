#pragma once
// What one transaction of receipts will say, gathered before it begins.

#include <kafka/consumer.hpp>
#include <semel/v1/events.pb.h>

#include <receipts/core/doubts.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace semel::receipts {

struct outcome {
    std::vector<v1::Event> events;
    std::vector<resend> resends;
    std::map<kafka::topic_partition, kafka::offset> read;  // next offsets
    std::vector<std::pair<std::string, std::string>> dead; // key, value
    std::vector<std::int64_t> joined;                      // orphans
    std::vector<base::notification_id> superseded;
    std::size_t orphaned = 0;

    void add(decision d) {
        std::ranges::move(d.events, std::back_inserter(events));
        std::ranges::move(d.resends, std::back_inserter(resends));
        if (d.superseded) {
            superseded.push_back(*d.superseded);
        }
    }
};

} // namespace semel::receipts
