#include "outbox.hpp"

#include <iterator>
#include <utility>

namespace semel::delivery {

void outbox::add(outgoing out) {
    waiting_.push_back(std::move(out));
    if (waiting_.size() == 1'000) {
        hurry(); // a large transaction is cheap, a larger one only late
    }
}

void outbox::hurry() {
    hurried_ = true;
    pressed.changed();
}

std::vector<outgoing> outbox::take() {
    hurried_ = false;
    keep_evidence_only_of_lost(waiting_);
    return std::exchange(waiting_, {});
}

void outbox::put_back(std::vector<outgoing> unsaid) {
    waiting_.insert(waiting_.begin(), std::make_move_iterator(unsaid.begin()), std::make_move_iterator(unsaid.end()));
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
