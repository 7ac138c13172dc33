#include "partition.hpp"

namespace semel::delivery {

kafka::commit title::say(const kafka::topic_partition& at, const range& said) {
    ++transaction;
    const checkpoint c{.owner = owner,
                       .transaction = transaction,
                       .marker = mark,
                       .range = said,
                       .claims_lost_below = claims_lost_below};
    return {.at = at, .next = said.next, .metadata = encode(c)};
}

partition::partition(kafka::topic_partition where, const checkpoint& committed, std::unique_ptr<claim_store> in)
    : at(std::move(where))
    , window(committed.range)
    , title(committed)
    , claims(std::move(in)) {}

void partition::enter(phase next) {
    phase_ = next;
    phase_changed.changed();
}

void partition::open() {
    claims->use(title.head);
    enter(phase::open);
}

bool partition::begin_rebuild() {
    if (!is_open() || rebuild_under_way_) {
        return false;
    }
    rebuild_under_way_ = true;
    enter(phase::rebuilding);
    return true;
}

bool partition::end_rebuild() {
    rebuild_under_way_ = false;
    if (!rebuilding()) {
        return false;
    }
    open();
    return true;
}

void partition::revoke() {
    if (!lost()) {
        enter(phase::closing);
    }
}

bool partition::lose(base::instant now) {
    if (lost()) {
        return false;
    }
    lost_since_ = now;
    enter(phase::lost);
    return true;
}

void partition::let_go() {
    enter(phase::lost);
}

} // namespace semel::delivery
