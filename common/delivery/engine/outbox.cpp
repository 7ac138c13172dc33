#include "outbox.hpp"

namespace semel::delivery {

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
