#pragma once
// What all receipts processes know together, in PostgreSQL (schema `receipts`): a receipt is read by the process that
// owns its partition of `gateway.receipts`, and belongs to a notification whose events another process may own.
//
//   known        accepted messages by (gateway, message id), and what was said about attempts (core's history)
//   orphan       receipts that found nothing: they may have come before the answer that names their message
//   open_doubt   the open doubts of all processes, to tell whether a receipt can mean only one of them
//
// receipts.evidence(campaign) says what was looked for and not found; the api shows it.
//
// All writes are idempotent and done before the Kafka transaction that rests on them: repeating a batch changes
// nothing. Whoever learns of a message writes it and then looks for orphans; whoever holds a receipt keeps it as an
// orphan and then looks again: so one of two that act at the same time sees the other, and if both do, their events
// have the same id.

#include "evidence_barrier.hpp"

#include <base/ids.hpp>
#include <postgres/pool.hpp>
#include <semel/v1/events.pb.h>

#include <boost/asio/awaitable.hpp>
#include <receipts/core/doubts.hpp>
#include <receipts/core/evidence.hpp>
#include <receipts/schema.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace semel::receipts {

class index {
  public:
    /// `exclusive`: gateways that carry nobody else's messages, so that a number may tell which one is meant.
    explicit index(postgres::pool& db, std::set<std::string, std::less<>> exclusive = {})
        : db_(db)
        , exclusive_(std::move(exclusive)) {}

    struct told {
        v1::Event event;
        std::string number; // correlation::number_hash() of an accepted SMS; empty: not known
    };
    struct question {
        std::vector<told> learned;                // for which is_remembered()
        std::vector<v1::GatewayReceipt> receipts; // complaint() has none
        std::vector<base::notification_id> histories_of;
    };
    struct match {
        v1::GatewayReceipt receipt;
        subject about;
        std::int64_t orphan = 0; // its row, when it was orphaned
        bool inferred = false;   // nothing in it names the message
    };
    struct answer {
        std::vector<match> matches;
        std::unordered_map<base::notification_id, history> histories;
        std::size_t orphaned = 0;
    };
    boost::asio::awaitable<answer> exchange(question, base::timestamp now);

    /// An open doubt as others see it.
    struct candidate {
        std::string notification;
        std::int32_t partition = 0; // of `events`
        subject about;
        std::string gateway;          // empty: not known
        std::string destination_hash; // sms; empty: not known
        std::uint32_t reference = 0;  // SMPP's user_message_reference
        std::int64_t since_us = 0;
    };
    /// Exactly these are open in these partitions.
    boost::asio::awaitable<void> replace(std::vector<std::int32_t> partitions, std::vector<candidate>);
    boost::asio::awaitable<void> put(std::vector<candidate>);
    /// After the commit that settled them, or that joined these orphans.
    boost::asio::awaitable<void> forget(std::vector<std::string> notifications, std::vector<std::int64_t> orphans);

    /// Orphans that mean an open doubt in these partitions: those that name it, whenever they came (perhaps before the
    /// doubt), and those that came before this time and fit this doubt and no other.
    boost::asio::awaitable<std::vector<match>> match_doubts(std::vector<std::int32_t> partitions,
                                                            base::timestamp orphaned_before);
    /// Orphans that came before this time and whose id, in another spelling, is a known message's, though neither
    /// number nor reference confirm it. A message with exactly this id would be known by now. Each is looked at once.
    boost::asio::awaitable<std::vector<match>> match_unconfirmed(base::timestamp orphaned_before);

    /// How far each partition of `events` and `gateway.receipts` has been read and its results committed.
    boost::asio::awaitable<void> tell_progress(reading);
    boost::asio::awaitable<reading> progress();

    struct pruned {
        std::int64_t orphans = 0; // that are left
        bool more = false;        // there is more to forget
    };
    /// Forgets by age, and the oldest orphans beyond `most_orphans`: one small batch.
    boost::asio::awaitable<pruned> prune(base::timestamp orphans_before, base::timestamp known_before,
                                         std::size_t most_orphans);

  private:
    postgres::pool& db_;
    std::set<std::string, std::less<>> exclusive_;
};

} // namespace semel::receipts
