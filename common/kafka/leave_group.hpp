#pragma once
// A static member keeps its partitions until its session has timed out, so that a process which comes back finds them.
// Of one that is stopped for good, an administrator says so. librdkafka has no call for it: two requests of Kafka's
// protocol (FindCoordinator 1, LeaveGroup 3), over a connection like the others'.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace semel::kafka {

/// Takes these instances out of the group. One that is not a member is not a fault: it is out already.
boost::asio::awaitable<base::result<void>> leave_group(cluster, std::string group, std::vector<std::string> instances,
                                                       std::chrono::milliseconds patience = std::chrono::seconds{5});

} // namespace semel::kafka
