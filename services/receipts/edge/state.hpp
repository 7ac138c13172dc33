#pragma once
// The open doubts of the partitions of `events` that this process owns, and their store: the partition of `doubts` with
// the same number. Read back at every assignment.

#include <base/fault.hpp>
#include <kafka/consumer.hpp>
#include <kafka/transactor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <receipts/core/awaited.hpp>
#include <receipts/core/doubts.hpp>

#include <map>
#include <string>
#include <vector>

namespace semel::receipts {

/// One partition.
struct part {
    receipts::doubts doubts;
    std::uint64_t turn = 0; // transactions that wrote to its partition of `doubts`, as the last commit says
};
using parts = std::map<std::int32_t, part>;

inline constexpr std::string_view turn_key = "turn";

/// Fills the parts from `topic`: `wanted` names, for each partition, the turn that the committed offset carries. The
/// coordinator may know of a commit before its marker stands in `topic`: reads until that turn is seen.
struct restored {
    receipts::parts parts;
    std::size_t records = 0; // that were read for it
};
boost::asio::awaitable<base::result<restored>> read_back(boost::asio::any_io_executor, kafka::cluster bootstrap,
                                                         std::string topic,
                                                         std::map<std::int32_t, std::uint64_t> wanted,
                                                         base::duration awaiting_limit);

/// A part of a partition of `events`.
struct stretch {
    kafka::topic_partition at;
    kafka::offset from = 0;
    kafka::offset to = 0; // behind its last record
};
/// What is awaited and stands in no record, by partition.
boost::asio::awaitable<std::map<std::int32_t, awaited>> read_awaited(boost::asio::any_io_executor,
                                                                     kafka::cluster bootstrap, std::vector<stretch>);

/// Puts what has changed into the transaction, and its number; returns the notifications that were settled.
boost::asio::awaitable<std::vector<std::string>> write_changes(kafka::transaction&, kafka::topic_partition to,
                                                               const part&, std::uint64_t turn);

} // namespace semel::receipts
