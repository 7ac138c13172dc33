#include "membership.hpp"

#include <kafka/handles.hpp>

namespace semel::kafka {

std::shared_ptr<const membership> outside_any_group(const std::string& group) {
    return std::make_shared<const membership>(group_metadata_ptr{rd_kafka_consumer_group_metadata_new(group.c_str())});
}

} // namespace semel::kafka
