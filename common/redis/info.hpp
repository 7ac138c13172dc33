#pragma once
// What INFO tells about a server. Pure: managed servers tell less than one's own, and no test has them all.

#include "client.hpp"

#include <string>
#include <string_view>

namespace semel::redis {

/// The value of `key:value\r\n`; empty when it is not there.
std::string info_value(std::string_view info, std::string_view key);

/// Who answers. Without a run_id (some managed servers hide it) the time at which the process started stands in for it:
/// it too changes with every start, and every client computes the same. `broken` when nothing tells one server from
/// another.
base::result<server_identity> identity_in(std::string_view info);

/// Whether the server forgets: `broken`, in words, without AOF or with an eviction policy other than noeviction. Of a
/// managed server the provider vouches for the first.
base::result<void> keeps_what_it_has(std::string_view info, bool managed);

} // namespace semel::redis
