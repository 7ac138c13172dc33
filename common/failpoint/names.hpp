#pragma once
// Every failpoint of Semel by name: one table, so that a harness can enumerate them (`semel-NAME --list-failpoints`)
// and a misspelt one does not compile. "delivery." is the engine of email, push and sms; the others carry their
// service's name.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace semel::failpoint {

struct point {
    std::string_view name;
    std::string_view where;
};

inline constexpr std::array points{
    // Taking over a partition.
    point{"delivery.take_over.assigned", "before the first commit of a new owner"},
    point{"delivery.take_over.owner_committed", "the range is committed under the new owner, the head is the old one"},
    point{"delivery.take_over.head_raised", "the head names the new owner, which has not committed since"},
    point{"delivery.take_over.marker_committed", "committed since, nothing is read yet"},
    point{"delivery.inherited.looked_up", "the claims of inherited records were read, nothing is decided"},
    point{"delivery.inherited.decided", "inherited records are decided, not committed"},
    // One message.
    point{"delivery.message.started", "taken from the queue, below the committed end"},
    point{"delivery.message.staged", "everything but the last bytes is written (C1)"},
    point{"delivery.claim.sent", "the claim is on its way to Redis (C1, C2)"},
    point{"delivery.claim.taken", "claimed, the last bytes are held back (C3)"},
    point{"delivery.message.released", "the last bytes are being written, no answer (C4, C5)"},
    point{"delivery.message.answered", "answered, no outcome in Redis (C6)"},
    point{"delivery.outcome.noted", "the outcome is in Redis, not in Kafka (C7)"},
    point{"delivery.message.settled", "settled in memory, not committed"},
    point{"delivery.message.awaiting", "settled as awaiting, the answer is out"},
    // The transaction.
    point{"delivery.commit.begun", "a transaction was begun"},
    point{"delivery.commit.produced", "its records are produced, it is not committed"},
    point{"delivery.commit.answered", "it ended, the engine has not heard how"},
    point{"delivery.commit.known", "committed and known, no block of claims is dropped"},
    point{"delivery.commit.dropped", "blocks below the low water are being dropped"},
    point{"delivery.commit.unknown", "of unknown outcome, the producer is not yet built anew"},
    point{"delivery.commit.rebuilt", "of unknown outcome, the producer is new, nothing is read back"},
    point{"delivery.commit.read_back", "read back"},
    // Redis lost its claims.
    point{"delivery.rebuild.begun", "before the new head"},
    point{"delivery.rebuild.head_written", "the new head and all open claims stand, the marker is not committed"},
    point{"delivery.rebuild.committed", "the new marker is committed, nothing is claimed under it"},
    // Giving partitions up.
    point{"delivery.revoke.closing", "nothing new is claimed, what is out is waited for"},
    point{"delivery.revoke.drained", "waited for, not committed"},
    point{"delivery.revoke.committed", "committed, not released"},
    point{"delivery.drain.begun", "asked to stop, messages are out"},
    point{"delivery.drain.committed", "the last transaction is known, the group is not left"},
};

/// The index of a name; points.size() when there is none.
consteval std::size_t index_of(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(points, name, &point::name) - points.begin());
}

/// Whether this service's process passes the point.
constexpr bool belongs_to(std::string_view name, std::string_view service) noexcept {
    const auto owner = name.substr(0, name.find('.'));
    return owner == service || (owner == "delivery" && (service == "email" || service == "push" || service == "sms"));
}

} // namespace semel::failpoint
