#include "admin.hpp"

#include "tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <memory>
#include <stdexcept>

namespace semel::runtime {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t most_connections = 64;
constexpr auto patience = std::chrono::seconds{10}; // for one request and its answer

http::response<http::string_body> answer(const http::request<http::empty_body>& request, const admin_view& view) {
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    if (request.method() != http::verb::get) {
        response.result(http::status::method_not_allowed);
        response.set(http::field::allow, "GET");
        response.body() = "only GET\n";
    } else if (request.target() == "/health/live") {
        response.body() = "live\n";
    } else if (request.target() == "/health/ready") {
        const auto reason = view.not_ready();
        response.result(reason ? http::status::service_unavailable : http::status::ok);
        response.body() = reason ? *reason + "\n" : "ready\n";
    } else if (request.target() == "/metrics") {
        response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
        response.body() = view.metrics();
    } else {
        response.result(http::status::not_found);
        response.body() = "here are /health/live, /health/ready and /metrics\n";
    }
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    return response;
}

asio::awaitable<void> converse(tcp::socket socket, std::shared_ptr<const admin_view> view) {
    beast::tcp_stream stream{std::move(socket)};
    beast::flat_buffer buffer{16 * 1024};
    for (bool alive = true; alive;) {
        http::request<http::empty_body> request;
        stream.expires_after(patience);
        auto [bad, n] = co_await http::async_read(stream, buffer, request, asio::as_tuple(asio::use_awaitable));
        if (bad) {
            co_return; // gone, too slow, or no HTTP
        }
        auto response = answer(request, *view);
        alive = response.keep_alive();
        auto [lost, written] = co_await http::async_write(stream, response, asio::as_tuple(asio::use_awaitable));
        alive = alive && !lost;
    }
    beast::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

} // namespace

tcp::acceptor listen_admin(const asio::any_io_executor& ex, std::uint16_t port) {
    const tcp::endpoint here{asio::ip::address_v4::loopback(), port};
    try {
        return tcp::acceptor{ex, here, true};
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error{fmt::format("cannot listen on 127.0.0.1:{} (the admin port): {}. Is another process "
                                             "using it? Choose another admin port in the configuration",
                                             port, error.code().message())};
    }
}

asio::awaitable<void> serve_admin(tcp::acceptor acceptor, admin_view view) {
    const auto ex = co_await asio::this_coro::executor;
    const auto shared = std::make_shared<const admin_view>(std::move(view));
    gate conversations{ex};
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (error) { // out of descriptors, most likely: the port must come back when they do
            co_await sleep(std::chrono::milliseconds{100});
        } else if (conversations.inside() < most_connections) {
            conversations.spawn("admin connection", converse(std::move(socket), shared));
        }
    }
}

} // namespace semel::runtime
