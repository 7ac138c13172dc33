#pragma once
// How many partitions the topics have that the api writes to. A record's place is computed from it, so Kafka is asked:
// the configuration may have changed since the topics were made.

#include <base/ids.hpp>
#include <kafka/admin.hpp>

#include <cstdint>
#include <map>

namespace semel::api {

struct topic_sizes {
    std::int32_t events = 0;
    std::int32_t orders = 0; // intake.work
    std::map<base::channel, std::int32_t> dispatch;

    static base::result<topic_sizes> read(kafka::admin&);
};

} // namespace semel::api
