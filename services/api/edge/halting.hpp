#pragma once
// Campaigns that stop by themselves: each second every running one is held against its own rule (core/canary).

#include <base/time.hpp>

#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api {

/// Pauses those whose rule says so, with the event and the record for `control`; their ids, and why.
std::vector<std::pair<std::string, std::string>> halt_by_rule(pqxx::work&, base::timestamp now,
                                                              std::int32_t event_partitions);

boost::asio::awaitable<void> halt_campaigns(services&);

} // namespace semel::api
