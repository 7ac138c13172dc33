#pragma once
// The open doubts of one partition as a book: what is open, what the state store does not say yet, and how it stood at
// the last commit, so that a transaction that fails can be undone. Pure; knows no rule about doubts.
//
// Most of what is opened is awaited on a connection that lives, and answered seconds later. It costs no record: it is
// *unwritten*, and whoever takes up the partition reads its event in `events` again. Whatever else happens to it, but
// for its end, writes it.

#include <base/ids.hpp>
#include <semel/v1/delivery.pb.h>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace semel::receipts {

class book {
  public:
    using pages = std::unordered_map<base::notification_id, v1::Doubt>;
    using entry = pages::iterator;

    const pages& open() const noexcept { return open_; }
    entry find(const base::notification_id& id) { return open_.find(id); }
    entry begin() { return open_.begin(); }
    entry end() { return open_.end(); }

    /// From the state store.
    void restore(const base::notification_id&, v1::Doubt);
    /// Opens an empty one. With an offset in `events`, where it can be read again, it needs no record.
    entry add(const base::notification_id&, std::optional<std::int64_t> offset);
    /// For a change that is written.
    v1::Doubt& change(entry);
    /// What was unwritten leaves no trace.
    void remove(entry);

    bool is_unwritten(const base::notification_id& id) const { return unwritten_.contains(id); }
    const std::unordered_map<base::notification_id, std::int64_t>& unwritten() const noexcept { return unwritten_; }
    /// Of `events`, the first that must be read again; nothing: none.
    std::optional<std::int64_t> reread_from() const;

    /// Whose record in the state store must be written or erased, since keep() or undo().
    const std::unordered_set<base::notification_id>& changes() const noexcept { return changed_; }
    /// The transaction was committed.
    void keep();
    /// It was not: all is as it was. Returns what had been touched.
    std::vector<base::notification_id> undo();

  private:
    struct before {
        std::optional<v1::Doubt> doubt;
        std::optional<std::int64_t> unwritten;
    };
    void remember(const base::notification_id&);

    pages open_;
    std::unordered_map<base::notification_id, std::int64_t> unwritten_; // offsets
    std::unordered_set<base::notification_id> changed_;
    std::unordered_map<base::notification_id, before> before_;
};

} // namespace semel::receipts
