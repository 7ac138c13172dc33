#pragma once
// Inside this module: how far a gateway lets us in, without a message.

#include <base/fault.hpp>
#include <config/config.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace semel::cli {

/// Connects as the dispatcher does: TLS, greeting, and the sign-in.
boost::asio::awaitable<base::result<void>> reach(const config::gateway&, std::chrono::milliseconds patience);

} // namespace semel::cli
