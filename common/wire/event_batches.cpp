#include "event_batches.hpp"

#include <utility>

namespace semel::wire {

namespace {

constexpr std::size_t frame_of_an_event = 6; // its tag and length in the batch

} // namespace

void event_batches::add(std::int32_t partition, const v1::Event& e) {
    auto& o = open_[partition];
    const auto more = e.ByteSizeLong() + frame_of_an_event;
    if (o.bytes != 0 && o.bytes + more > limit_) {
        close(partition, o);
    }
    *o.batch.add_events() = e;
    o.bytes += more;
}

void event_batches::close(std::int32_t partition, open_batch& o) {
    full_.push_back({.partition = partition, .value = o.batch.SerializeAsString()});
    o = {};
}

std::vector<event_record> event_batches::take() {
    for (auto& [partition, o] : open_) {
        close(partition, o);
    }
    open_.clear();
    return std::exchange(full_, {});
}

} // namespace semel::wire
