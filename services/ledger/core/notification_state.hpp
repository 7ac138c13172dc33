#pragma once
// What is known of one notification, as a function of the *set* of its events: late, repeated, reordered and
// contradictory events change nothing that they should not. Pure.
//
// A state is a point of a lattice, and merging takes the least upper bound. Two parts, independent of each other:
// - progress: (attempt, step), the larger one counts. A later attempt outranks every earlier one (it exists only
// because
//   the earlier one was decided); within an attempt the steps are ordered by how much they say.
// - seen: facts that no other event takes back (accepted, delivered, bounced, complained), joined by union.

#include <semel/v1/events.pb.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <span>

namespace semel::ledger {

/// How far an attempt has come. Evidence outranks a presumption, a presumption outranks waiting. EVENT_RESENT names the
/// attempt that it sends: it is the last word about the one before. A resend that fails proves nothing about the copy
/// before it, which may have arrived: that is unresolved. When every copy is known to have failed, receipts says so by
/// an event that is not about a resend.
enum class step : std::uint8_t {
    none = 0,
    awaiting = 1,
    in_doubt = 2,
    deferred = 3,      // certainly not accepted, tried again
    unresolved = 4,    // an approver decides; also a resend that was refused or turned away
    presumed_sent = 5, // decided without evidence
    failed = 6,        // a permanent answer, also one that came after a presumption
    resent = 7,        // the next attempt is on its way: whatever was known of this one decides nothing any more
};

/// Facts that stay.
enum fact : std::uint8_t {
    fact_accepted = 1,
    fact_delivered = 2, // reported as delivered or read; a complaint proves it, too
    fact_bounced = 4,
    fact_complained = 8,
    fact_resent = 16,  // sent again while nobody knew whether an earlier attempt was accepted: at least once
    fact_counted = 64, // delivered and bounced were counted over the parts of an SMS: they replace what stood there
};

struct notification_state {
    std::int32_t progress = 0; // attempt * 8 + step
    std::uint8_t seen = 0;     // facts
    friend bool operator==(const notification_state&, const notification_state&) = default;
};

constexpr notification_state merge(notification_state a, notification_state b) noexcept {
    return {a.progress > b.progress ? a.progress : b.progress, static_cast<std::uint8_t>(a.seen | b.seen)};
}

/// What the reports of one part of an SMS say. A part that was delivered stays so, whatever else is reported of it.
struct part_reports {
    bool delivered = false;
    bool bounced = false;
};
/// What the reports of the parts of one attempt say about the message: delivered when all its parts are (`parts`: how
/// many it has), bounced when one is not. Of several attempts, each is asked. The SQL function ledger.facts_of_parts
/// does the same over the stored events; a test holds them together.
std::uint8_t facts_of_parts(std::uint32_t parts, std::span<const part_reports>) noexcept;

/// What this event says about its notification; nothing for kinds that say nothing, and for test messages.
std::optional<notification_state> state_of(const v1::Event&) noexcept;

/// Where the notification stands. The first three are the coverage's "outstanding". The numbers are stored.
enum class line : std::int16_t {
    outstanding = 0,
    retrying = 1,   // deferred or resent
    doubtful = 2,   // in doubt, waiting for evidence
    unresolved = 3, // in doubt: no evidence came in time, an approver decides
    failed = 4,
    accepted = 5,
    presumed_sent = 6, // in doubt: decided without evidence
};

/// The SQL function ledger.line_of does the same; a test holds them together.
line line_of(notification_state) noexcept;

} // namespace semel::ledger
