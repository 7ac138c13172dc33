#pragma once
// The admin port of a service: GET /health/live, /health/ready, /metrics. Loopback only, a few short connections.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace semel::runtime {

struct admin_view {
    std::function<std::optional<std::string>()> not_ready; // the reason, or nothing when ready
    std::function<std::string()> metrics;
};

/// Throws std::runtime_error that names the port when it is taken. Port 0: any.
boost::asio::ip::tcp::acceptor listen_admin(const boost::asio::any_io_executor&, std::uint16_t port);
/// Serves until cancelled.
boost::asio::awaitable<void> serve_admin(boost::asio::ip::tcp::acceptor, admin_view);

} // namespace semel::runtime
