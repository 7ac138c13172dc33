#include "window.hpp"

#include <algorithm>
#include <stdexcept>

namespace semel::delivery {

bool bitmap::test(std::size_t i) const noexcept {
    return i / 8 < bytes_.size() && (static_cast<unsigned char>(bytes_[i / 8]) >> (i % 8) & 1) != 0;
}

void bitmap::set(std::size_t i) {
    if (i / 8 >= bytes_.size()) {
        bytes_.resize(i / 8 + 1, '\0');
    }
    bytes_[i / 8] = static_cast<char>(static_cast<unsigned char>(bytes_[i / 8]) | 1U << (i % 8));
}

window::window(range committed)
    : next_(committed.next)
    , end_(committed.end)
    , committed_next_(committed.next)
    , committed_end_(committed.end)
    , inherited_(std::move(committed)) {}

kafka::offset window::low_water() const noexcept {
    return entries_.empty() ? next_ : entries_.front().at;
}

window::arrival window::arrived(kafka::offset at) {
    if (at < next_) {
        throw std::logic_error{"a record arrived twice in one window"};
    }
    next_ = at + 1;
    const bool reserved_before = at < inherited_.end;
    if (reserved_before && inherited_.settled.test(static_cast<std::size_t>(at - inherited_.next))) {
        if (!entries_.empty()) {
            entries_.push_back({.at = at, .settled = true});
        }
        dirty_ = true;
        return arrival::done;
    }
    entries_.push_back({.at = at, .settled = false});
    ++unsettled_;
    return reserved_before ? arrival::inherited : arrival::fresh;
}

void window::passed(kafka::offset next) {
    if (next > next_) {
        next_ = next;
        dirty_ = dirty_ || entries_.empty();
    }
}

void window::reserve(std::size_t count) {
    const auto limit = low_water() + max_span;
    auto it = std::ranges::lower_bound(entries_, end_, {}, &entry::at);
    for (; it != entries_.end() && count > 0 && it->at < limit; ++it, --count) {
        end_ = it->at + 1;
        dirty_ = true;
    }
}

void window::settle(kafka::offset at) {
    const auto it = std::ranges::lower_bound(entries_, at, {}, &entry::at);
    if (it == entries_.end() || it->at != at || it->settled || !sendable(at)) {
        throw std::logic_error{"a record was settled twice, or before it arrived, or above the committed range"};
    }
    it->settled = true;
    --unsettled_;
    dirty_ = true;
    while (!entries_.empty() && entries_.front().settled) {
        entries_.pop_front();
    }
}

range window::propose() const {
    range said;
    said.next = low_water();
    said.end = std::max(end_, said.next);
    for (const auto& e : entries_) {
        if (e.at >= said.end) {
            break;
        }
        if (e.settled) {
            said.settled.set(static_cast<std::size_t>(e.at - said.next));
        }
    }
    // An inherited range that has not been read back whole keeps what its owner knew about the rest.
    for (auto at = std::max(next_, said.next); at < std::min(inherited_.end, said.end); ++at) {
        if (inherited_.settled.test(static_cast<std::size_t>(at - inherited_.next))) {
            said.settled.set(static_cast<std::size_t>(at - said.next));
        }
    }
    return said;
}

void window::committed(const range& said) {
    committed_next_ = said.next;
    committed_end_ = std::max(committed_end_, said.end);
    end_ = std::max(end_, committed_end_);
    dirty_ = low_water() != said.next || end_ != said.end || propose().settled.bytes() != said.settled.bytes();
}

std::size_t window::reserved() const noexcept {
    const auto last = std::ranges::lower_bound(entries_, end_, {}, &entry::at);
    return static_cast<std::size_t>(std::count_if(entries_.begin(), last, [](const entry& e) { return !e.settled; }));
}

} // namespace semel::delivery
