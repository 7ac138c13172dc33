#include "awaited.hpp"

namespace semel::receipts {

void awaited::hear(const v1::Event& e, base::timestamp told, std::int64_t offset) {
    const auto id = base::from_bytes<base::notification_id>(e.notification());
    if (!id) {
        return;
    }
    if (e.kind() == v1::EVENT_AWAITING) {
        all_[*id].push_back({.event = e, .told = told, .offset = offset});
    } else {
        all_.erase(*id);
    }
}

} // namespace semel::receipts
