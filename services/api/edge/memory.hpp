#pragma once
// How much memory Redis has left, asked before a seal.

#include <base/ids.hpp>
#include <http/json.hpp>

#include <api/core/room.hpp>
#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>

namespace semel::api {

/// Never waits for long: the api works without Redis.
boost::asio::awaitable<redis_memory> look_at_memory(services&, base::campaign_id);

/// {"entries", "bytes", "to_come_bytes", "room_bytes" (null: no limit or not known)}
json::object to_json(const address_register::memory& need, const redis_memory&);

} // namespace semel::api
