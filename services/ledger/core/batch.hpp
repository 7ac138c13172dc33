#pragma once
// Many events, folded into what one PostgreSQL transaction writes: the events themselves, and for each notification one
// merged state instead of many. Pure. Folding an event twice, or in another order, gives the same states.

#include "notification_state.hpp"

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace semel::ledger {

/// The row that carries a notification (its link says OWN).
struct carrier {
    base::recipient_ref person;
    std::uint32_t wave = 0;
    std::uint64_t row = 0;
    bool stands = true; // false: the row is a double of its id; the message goes out, its person counts by another row
};

struct message {
    base::channel channel{};
    notification_state state;
    std::optional<ledger::carrier> carrier;
    bool parts_moved = false; // an SMS, one of whose parts was reported on, or whose parts became known
};

struct campaign_events {
    std::vector<v1::Event> events;     // all but the recipients
    std::vector<v1::Event> recipients; // EVENT_RECIPIENT and EVENT_RECIPIENT_REPEATED
    std::unordered_map<base::notification_id, message> messages;
    std::set<std::pair<base::notification_id, base::recipient_ref>> shares; // whom another row's message reaches
};

class batch {
  public:
    /// malformed: the event cannot be what a service of Semel wrote; nothing was taken.
    base::result<void> take(v1::Event);
    /// In place of what could not be taken: a dead letter of its campaign, or of none. `where` names the record.
    void take_dead_letter(const std::string& campaign, std::string_view where, std::string_view why, base::timestamp);

    const std::map<std::string, campaign_events>& campaigns() const noexcept { return campaigns_; }
    std::size_t events() const noexcept { return events_; }
    /// Roughly what it holds in memory.
    std::size_t bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return events_ == 0; }

  private:
    std::map<std::string, campaign_events> campaigns_; // in one order for all, so that two ledgers cannot deadlock
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
};

/// Campaign ids become partitions: only what looks like one may.
bool is_campaign_id(std::string_view) noexcept;

} // namespace semel::ledger
