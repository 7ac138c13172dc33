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
// nothing. Whoever learns of a message writes it and then looks for orphans; whoever holds a receipt parks it and then
// looks again: so one of two that act at the same time sees the other, and if both do, their events have the same id.

#include <base/ids.hpp>
#include <postgres/pool.hpp>
#include <semel/v1/events.pb.h>

#include <boost/asio/awaitable.hpp>
#include <receipts/core/doubts.hpp>
#include <receipts/core/evidence.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace semel::receipts {

class index {
  public:
    explicit index(postgres::pool& db)
        : db_(db) {}

    static void migrate(pqxx::connection&);

    struct question {
        std::vector<v1::Event> learned;           // for which is_remembered()
        std::vector<v1::GatewayReceipt> receipts; // complaint() has none
        std::vector<base::notification_id> histories_of;
    };
    struct match {
        v1::GatewayReceipt receipt;
        subject about;
        std::int64_t orphan = 0; // its row, when it was parked
    };
    struct answer {
        std::vector<match> matches;
        std::unordered_map<base::notification_id, history> histories;
        std::size_t parked = 0;
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

    /// Orphans parked before this time that can mean only one open doubt of all, where that is in these partitions.
    boost::asio::awaitable<std::vector<match>> infer(std::vector<std::int32_t> partitions,
                                                     base::timestamp parked_before);
    /// Forgets by age. Returns how many orphans are left.
    boost::asio::awaitable<std::int64_t> prune(base::timestamp orphans_before, base::timestamp known_before);

  private:
    postgres::pool& db_;
};

} // namespace semel::receipts
