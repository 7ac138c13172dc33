#pragma once
// What release has begun, read back from `progress`: the edge of the rules that keep waves in their order
// (barrier.hpp).

#include "kafka_place.hpp"

#include <catalog/catalog.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <plan/core/barrier.hpp>

#include <vector>

namespace semel::plan {

/// One entry for each wave and partition of `audience` in which the campaign has released rows, whichever process did.
/// Waits for transactions that are under way on `progress`.
boost::asio::awaitable<base::result<std::vector<begun_wave>>> begun_waves(boost::asio::any_io_executor, kafka_place,
                                                                          base::campaign_id);

/// What is released on every channel, in every partition, whichever process did it. Waits as begun_waves() does.
boost::asio::awaitable<base::result<std::vector<release_position>>> release_positions(boost::asio::any_io_executor,
                                                                                      kafka_place, base::campaign_id);

/// Why nobody of `wave` is told, and what to do.
base::fault too_late(const catalog::campaign&, std::uint32_t wave, std::uint32_t higher);

} // namespace semel::plan
