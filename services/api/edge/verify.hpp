#pragma once
// The public page that tells genuine notices from forged ones, on an address of its own: nobody signs in there, it has
// no cookie, no script and no way to anything else that the api knows. What it asks PostgreSQL goes over connections of
// its own, so that a crowd of readers holds up no campaign.

#include <config/config.hpp>
#include <http/server.hpp>
#include <postgres/pool.hpp>
#include <telemetry/metrics.hpp>

#include <api/core/denials.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace semel::api {

class verify_service {
  public:
    /// Listens at once, as http::server does. Whose codes are not known again and again waits for the answer.
    verify_service(boost::asio::any_io_executor, config::verify_page, postgres::server, telemetry::metrics&,
                   denials::limits = {});

    std::uint16_t port() const noexcept { return server_.port(); }
    boost::asio::awaitable<void> run() { return server_.run(); }
    boost::asio::awaitable<bool> stop(std::chrono::milliseconds deadline) { return server_.stop(deadline); }

    struct desk;

  private:
    std::shared_ptr<desk> desk_;
    http::server server_;
};

/// Nothing where semel.yaml has no `verify`.
std::unique_ptr<verify_service> open_verify_page(boost::asio::any_io_executor, const config::settings&,
                                                 telemetry::metrics&);

} // namespace semel::api
