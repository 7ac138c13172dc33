#pragma once
// A message in doubt is sent again with a new attempt, ten seconds later. If receipts learns meanwhile that the first
// was accepted, it leaves a mark in Redis, and the dispatcher that finds the mark does not send the second. A mark is
// kept on a best effort: without it the second copy goes out and is listed, as is every resend. It is set only for what
// a committed event calls accepted, so that dropping never loses anybody.

#include <base/ids.hpp>
#include <redis/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace semel::delivery {

/// `prefix` as in the engine's options. False: Redis did not take them all.
boost::asio::awaitable<bool> mark_superseded(redis::client&, std::string prefix,
                                             std::vector<base::notification_id> accepted);
/// False too when Redis does not answer.
boost::asio::awaitable<bool> is_superseded(redis::client&, std::string prefix, std::string notification);

} // namespace semel::delivery
