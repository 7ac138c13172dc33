#pragma once
// Inside this module: what the provider that people sign on with says of itself.

#include <base/fault.hpp>
#include <config/config.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace semel::cli {

/// Reads its description and its keys, as the api does. Nobody signs on.
boost::asio::awaitable<base::result<void>> reach_provider(config::sign_on, std::chrono::milliseconds patience);

} // namespace semel::cli
