#pragma once
// Messages whose last bytes may be out and of which nobody knows whether the gateway accepted them. One object holds
// the open doubts of one partition of `events`, and is the only writer that settles them: by what the dispatchers say
// later, by receipts, by the campaign's policy once its time has come, by an operator. Pure: what it decides is written
// by the edge, together with the state, in one Kafka transaction.
//
// Only positive evidence settles a doubt as accepted. That nothing came proves nothing.

#include "awaited.hpp"
#include "book.hpp"

#include <base/ids.hpp>
#include <base/time.hpp>
#include <semel/v1/campaign.pb.h>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace semel::receipts {

/// What a campaign says about its doubts.
struct policy {
    v1::DoubtPolicy in_doubt = v1::DOUBT_RESEND;
    base::duration after{};
    bool cancelled = false;
    bool key_destroyed = false;
    std::uint32_t resends = 1; // of one notification, at most; an approver may send it again all the same
};
policy policy_of(const v1::Campaign&);
/// Nothing while the campaign is not known: its doubts wait.
using policy_source = std::function<std::optional<policy>(const std::string& campaign)>;

/// What earlier events said about a notification without an open doubt. An event may come twice, or late from a process
/// that lost its partition: it must not open a doubt again that is answered.
struct history {
    bool accepted = false;
    std::uint32_t decided_through = 0; // attempts up to this one were answered or sent again
};
/// Whether an event belongs into a history, and adding it.
bool is_remembered(const v1::Event&);
void remember(history&, v1::EventKind, std::uint32_t attempt);

struct resend {
    v1::Dispatch dispatch;
    std::size_t tier = 0; // of retry.*
};
struct decision {
    std::vector<v1::Event> events;
    std::vector<resend> resends;
    std::optional<base::notification_id> superseded; // accepted after all, while its resend is on its way

    bool empty() const noexcept { return events.empty() && resends.empty(); }
};

/// Of an event: when Kafka's broker had it, whose clock is one for all dispatchers, and when it is heard. What is told
/// counts as told now at the latest. And where in `events` it can be read again, if it can.
struct moment {
    base::timestamp told;
    base::timestamp now;
    std::optional<std::int64_t> offset = {};
};

class doubts {
  public:
    /// An answer on the live connection resolves what is awaiting, and the dispatcher says so. If it died, nobody
    /// does: the next owner of its partition does not look at what is settled. So what waits longer than any protocol
    /// waits for an answer is in doubt. The longest is SMTP's ten minutes after the final dot (RFC 5321, 4.5.3.2.6);
    /// five more for the transaction that tells it.
    static constexpr base::duration default_awaiting_limit = std::chrono::minutes{15};
    /// What was presumed sent is open to late receipts for so long.
    static constexpr base::duration late_evidence = std::chrono::hours{24 * 30};

    explicit doubts(base::duration awaiting_limit = default_awaiting_limit)
        : awaiting_limit_(awaiting_limit) {}

    /// From the state store.
    void restore(v1::Doubt);

    const v1::Doubt* find(const base::notification_id&) const;
    const book::pages& open() const noexcept { return book_.open(); }
    bool is_unwritten(const base::notification_id& id) const { return book_.is_unwritten(id); }
    std::optional<std::int64_t> reread_from() const { return book_.reread_from(); }
    /// Whether this event can open a doubt, so that observe() asks for the notification's history.
    bool may_open(const v1::Event&) const;

    decision observe(const v1::Event&, const history&, const policy_source&, const moment&);
    /// After restore(): opens what stands in no record, by its event. What has a record says more there.
    void take_up(const awaited&, const std::function<history(const base::notification_id&)>&, const policy_source&,
                 base::timestamp now);
    /// Whether review() would decide anything.
    bool is_due(const policy_source&, base::timestamp now) const;
    /// What time alone decides; at most so many doubts in one go.
    std::vector<decision> review(const policy_source&, base::timestamp now, std::size_t most);

    /// Has a record made of what has waited for so long.
    void write_awaited(base::timestamp since);
    /// Whose record must be written or erased since keep() or undo().
    const std::unordered_set<base::notification_id>& changes() const noexcept { return book_.changes(); }
    void keep() { book_.keep(); }
    /// Everything since keep(); returns what it touched.
    std::vector<base::notification_id> undo() { return book_.undo(); }

  private:
    using entry = book::entry;

    void open_or_merge(const v1::Event&, const base::notification_id&, const history&, const moment&);
    decision on_event(const v1::Event&, entry, const policy_source&, base::timestamp now);
    decision on_failed(const v1::Event&, entry);
    decision on_refused_for_good(const v1::Event&, entry);
    decision on_deferred(const v1::Event&, entry, base::timestamp now);
    bool is_proven_whole(const v1::Event&, entry);
    decision on_receipt(const v1::Event&, entry, base::timestamp now);
    decision on_resolved(const v1::Event&, entry, const policy_source&, base::timestamp now);
    decision decide(entry, const policy&, base::timestamp now);
    decision send_again(entry, const std::optional<policy>&, const v1::Event& because, base::timestamp now);
    decision leave_unresolved(entry, std::string code, std::string text, base::timestamp now);
    decision presume_sent(entry, const v1::Event& because, base::timestamp now);
    decision settle_as_failed(const v1::Event& because, entry);

    base::duration awaiting_limit_;
    book book_;
};

} // namespace semel::receipts
