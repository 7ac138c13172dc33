#include "outbox.hpp"

#include <base/ids.hpp>

#include <map>

namespace semel::delivery {

std::int32_t partition_of(const v1::Event& e, std::int32_t partitions) noexcept {
    return base::partition_of(e.notification().empty() ? e.recipient_ref() : e.notification(), partitions);
}

std::vector<event_record> batch_events(const std::vector<outgoing>& all, std::int32_t partitions, std::size_t limit) {
    struct open_batch {
        v1::EventBatch batch;
        std::size_t bytes = 0;
    };
    std::map<std::int32_t, open_batch> open;
    std::vector<event_record> done;
    for (const auto& out : all) {
        if (out.event.kind() == v1::EVENT_KIND_UNSPECIFIED) {
            continue;
        }
        const auto p = partition_of(out.event, partitions);
        auto& o = open[p];
        *o.batch.add_events() = out.event;
        o.bytes += out.event.ByteSizeLong();
        if (o.bytes >= limit) {
            done.push_back({.partition = p, .value = o.batch.SerializeAsString()});
            open.erase(p);
        }
    }
    for (const auto& [p, o] : open) {
        done.push_back({.partition = p, .value = o.batch.SerializeAsString()});
    }
    return done;
}

void keep_evidence_only_of_lost(std::vector<outgoing>& all) {
    std::erase_if(all, [](const outgoing& o) { return o.source && o.source->lost() && !o.evidence; });
    for (auto& o : all) {
        if (o.source && o.source->lost()) {
            o.to.topic.clear(); // a retry of a message that is another's now
            o.record.clear();
        }
    }
}

} // namespace semel::delivery
