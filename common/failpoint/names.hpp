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
    point{"delivery.message.staged", "everything but the last bytes is written"},
    point{"delivery.claim.sent", "the claim is on its way to Redis"},
    point{"delivery.claim.taken", "claimed, the last bytes are held back"},
    point{"delivery.message.released", "the last bytes are being written, no answer"},
    point{"delivery.message.answered", "answered, no outcome in Redis"},
    point{"delivery.outcome.noted", "the outcome is in Redis, not in Kafka"},
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
    // Import.
    point{"intake.import.checked", "the whole file was read once, nothing of it is written"},
    point{"intake.chunks.produced", "a transaction's rows and progress are produced, not committed"},
    point{"intake.chunks.committed", "they are committed, the importer has not gone on"},
    point{"intake.spans.proven", "all rows were read back, nobody was told"},
    point{"intake.result.produced", "the result and the order's offset are produced, not committed"},
    point{"intake.result.committed", "the api was told, the order is done"},
    // Compiling a notice.
    point{"render.compiled.produced", "artifacts and feedback are produced, not committed"},
    point{"render.compiled.committed", "they are committed, the next notice is not asked for"},
    // Plan's first pass.
    point{"plan.register.put", "some entries of a span are in Redis, the span is not marked"},
    point{"plan.register.marked", "the span is marked, nobody was told"},
    point{"plan.report.produced", "the report is produced, not committed"},
    point{"plan.report.committed", "the report is committed, plan has not heard"},
    // Plan's second pass.
    point{"plan.removal.step", "a part of the register of a campaign that is over is taken away"},
    point{"plan.release.looked_up", "decisions are made, nothing of them is produced"},
    point{"plan.release.produced", "messages, events and progress are produced, the register is not confirmed"},
    point{"plan.release.confirmed", "the register is confirmed, the transaction is not committed"},
    point{"plan.release.committed", "committed, plan has not heard"},
    // Evidence and doubt.
    point{"receipts.index.answered", "the index has the receipts, nothing of them is in Kafka"},
    point{"receipts.commit.indexed", "open doubts are in the index, no transaction was begun"},
    point{"receipts.commit.produced", "events and resends are produced, not committed"},
    point{"receipts.commit.known", "committed, the index still has what was settled"},
    point{"receipts.index.forgotten", "the index is up to date"},
    // Records.
    point{"ledger.batch.folded", "events and offsets are in a transaction of PostgreSQL, not committed"},
    point{"ledger.batch.committed", "committed, the ledger has not heard"},
    point{"ledger.batch.known", "committed and known, Kafka has not the offsets"},
    point{"ledger.offsets.committed", "Kafka has the offsets"},
    // Campaigns.
    point{"api.upload.received", "the file is whole on the disk, PostgreSQL does not know"},
    point{"api.upload.ordered", "its import is ordered, the uploader was not told"},
    point{"api.freeze.written", "a follow-up's audience is whole on the disk, its import is not ordered"},
    point{"api.outbox.sent", "records of the outbox are in Kafka, the outbox still has them"},
    point{"api.outbox.deleted", "the outbox has forgotten them"},
    point{"api.feedback.applied", "feedback is in PostgreSQL, Kafka has not the offset"},
    point{"api.feedback.committed", "Kafka has the offset"},
    point{"api.finish.decided", "a campaign is found to be finished, that is not committed"},
    point{"api.finish.committed", "the finish is committed, the outbox has it"},
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
