#pragma once
// The admin port of a service: GET /health/live, /health/ready, /metrics. Loopback only, a few short connections.

#include <http/server.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace semel::runtime {

struct admin_view {
    std::function<std::optional<std::string>()> not_ready; // the reason, or nothing when ready
    std::function<std::string()> metrics;
};

/// Listens at once, serves while its run() is awaited. Throws std::runtime_error that names the port when it is taken.
/// Port 0: any.
std::unique_ptr<http::server> make_admin(const boost::asio::any_io_executor&, std::uint16_t port, admin_view);

} // namespace semel::runtime
