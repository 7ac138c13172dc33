#include "book.hpp"

#include <algorithm>
#include <utility>

namespace semel::receipts {

void book::restore(const base::notification_id& id, v1::Doubt d) {
    open_.insert_or_assign(id, std::move(d));
}

void book::remember(const base::notification_id& id) {
    const auto [image, first] = before_.try_emplace(id);
    if (!first) {
        return;
    }
    if (const auto found = open_.find(id); found != open_.end()) {
        image->second.doubt = found->second;
    }
    if (const auto offset = unwritten_.find(id); offset != unwritten_.end()) {
        image->second.unwritten = offset->second;
    }
}

book::entry book::add(const base::notification_id& id, std::optional<std::int64_t> offset) {
    remember(id);
    const auto added = open_.try_emplace(id).first;
    // A record that this transaction erases must be written after all: the two do not stand side by side.
    if (offset && !changed_.contains(id)) {
        unwritten_.insert_or_assign(id, *offset);
    } else {
        changed_.insert(id);
    }
    return added;
}

v1::Doubt& book::change(entry at) {
    remember(at->first);
    unwritten_.erase(at->first);
    changed_.insert(at->first);
    return at->second;
}

void book::remove(entry at) {
    const auto id = at->first;
    remember(id);
    if (unwritten_.erase(id) == 0) {
        changed_.insert(id);
    }
    open_.erase(at);
}

std::optional<std::int64_t> book::reread_from() const {
    const auto first = std::ranges::min_element(unwritten_, {}, [](const auto& one) { return one.second; });
    return first == unwritten_.end() ? std::nullopt : std::optional{first->second};
}

void book::keep() {
    changed_.clear();
    before_.clear();
}

std::vector<base::notification_id> book::undo() {
    std::vector<base::notification_id> touched;
    for (auto& [id, image] : before_) {
        touched.push_back(id);
        if (image.doubt) {
            open_.insert_or_assign(id, std::move(*image.doubt));
        } else {
            open_.erase(id);
        }
        if (image.unwritten) {
            unwritten_.insert_or_assign(id, *image.unwritten);
        } else {
            unwritten_.erase(id);
        }
    }
    keep();
    return touched;
}

} // namespace semel::receipts
