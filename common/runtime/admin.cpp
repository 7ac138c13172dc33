#include "admin.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

namespace semel::runtime {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

http::response text(unsigned status, std::string body) {
    return {.status = status, .body = std::move(body), .content_type = "text/plain; charset=utf-8"};
}

asio::awaitable<http::response> live(http::request&) {
    co_return text(200, "live\n");
}

} // namespace

std::unique_ptr<http::server> make_admin(const asio::any_io_executor& ex, std::uint16_t port, admin_view view) {
    http::router routes;
    routes.add("GET", "/health/live", live);
    routes.add("GET", "/health/ready",
               [not_ready = std::move(view.not_ready)](http::request&) -> asio::awaitable<http::response> {
                   const auto reason = not_ready();
                   co_return reason ? text(503, *reason + "\n") : text(200, "ready\n");
               });
    routes.add("GET", "/metrics",
               [metrics = std::move(view.metrics)](http::request&) -> asio::awaitable<http::response> {
                   auto all = text(200, metrics());
                   all.content_type = "text/plain; version=0.0.4; charset=utf-8";
                   co_return all;
               });
    http::server_options options{.port = port, .connections = 64, .kept = 0};
    options.body_timeout = 10s;
    try {
        return std::make_unique<http::server>(ex, std::move(options), std::move(routes));
    } catch (const std::runtime_error& error) {
        throw std::runtime_error{fmt::format("the admin port: {}", error.what())};
    }
}

} // namespace semel::runtime
