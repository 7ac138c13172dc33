#pragma once
// The open doubts of the partitions of `events` that this process owns, and their store: the partition of `doubts` with
// the same number. Read back at every assignment and after every transaction whose end is not certain.

#include <base/fault.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <receipts/core/doubts.hpp>

#include <map>
#include <string>
#include <vector>

namespace semel::receipts {

/// One partition.
struct part {
    receipts::doubts doubts;
    std::uint64_t turn =
        0; // transactions that wrote to its partition of `doubts`, as the last commit's metadata has it
};
using parts = std::map<std::int32_t, part>;

inline constexpr std::string_view turn_key = "turn";

/// Fills the parts from `topic`: `wanted` names, for each partition, the turn that the committed offset carries. The
/// coordinator may know of a commit before its marker stands in `topic`: reads until that turn is seen.
boost::asio::awaitable<base::result<parts>> read_back(boost::asio::any_io_executor, std::string bootstrap,
                                                      std::string topic, std::map<std::int32_t, std::uint64_t> wanted,
                                                      base::duration awaiting_limit);

/// Puts what has changed into the open transaction and raises the turn; returns the notifications that were settled.
boost::asio::awaitable<std::vector<std::string>> write_changes(kafka::transactional_producer&,
                                                               kafka::topic_partition to, part&,
                                                               std::unordered_set<base::notification_id> changed);

} // namespace semel::receipts
