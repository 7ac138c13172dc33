#include "evidence_barrier.hpp"

#include <algorithm>
#include <utility>

namespace semel::receipts {

void evidence_barrier::wait_for_all(reading ends, base::timestamp asked_at) {
    ends_ = std::move(ends);
    asked_at_ = asked_at;
    next_ = step::ask_own;
}

void evidence_barrier::wait_for_own(reading ends) {
    ends_ = std::move(ends);
    next_ = step::decide;
}

bool evidence_barrier::passed(const reading& read) const {
    return std::ranges::all_of(ends_, [&](const auto& end) {
        const auto found = read.find(end.first);
        return end.second == 0 || (found != read.end() && found->second >= end.second);
    });
}

void evidence_barrier::drop() {
    next_ = step::ask_all;
    ends_.clear();
}

} // namespace semel::receipts
