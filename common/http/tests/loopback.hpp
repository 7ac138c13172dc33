#pragma once
// A server with routes for tests, on a loop of its own, and clients that speak to it in bytes.

#include <http/client.hpp>
#include <http/json.hpp>
#include <http/server.hpp>
#include <runtime/gate.hpp>
#include <runtime/race.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace semel::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
constexpr milliseconds patience = std::chrono::seconds{30};

/// Bytes of memory that this process holds now.
inline std::size_t resident() {
    std::size_t pages = 0;
    std::ifstream in{"/proc/self/statm"};
    in >> pages >> pages;
    return pages * 4'096;
}

inline int held = 0; // requests that wait until it is 0 again

inline void add_waiting_routes(router& r) {
    r.add("GET", "/v1/held", [](request&) -> asio::awaitable<response> {
        ++held;
        while (held != 0) {
            co_await runtime::sleep(milliseconds{1});
        }
        co_return response{.body = "done"};
    });
    r.add("GET", "/v1/slow", [](request&) -> asio::awaitable<response> {
        co_await runtime::sleep(milliseconds{200});
        co_return response{.body = "done"};
    });
}

inline void add_body_routes(router& r) {
    r.add("POST", "/v1/echo", [](request& q) -> asio::awaitable<response> {
        auto body = co_await q.body();
        co_return body ? response{.body = std::move(*body), .content_type = "text/plain"} : problem(body.error());
    });
    r.add("POST", "/v1/count", [](request& q) -> asio::awaitable<response> {
        std::vector<char> piece(64 * 1'024);
        std::uint64_t bytes = 0;
        std::size_t most = 0;
        for (;;) {
            const auto n = co_await q.read_some(piece);
            if (!n) {
                co_return problem(n.error());
            }
            if (*n == 0) {
                break;
            }
            bytes += *n;
            most = std::max(most, resident());
        }
        co_return response{.body = fmt::format("{} {}", bytes, most)};
    });
}

inline void add_stream_routes(router& r) {
    r.add("GET", "/v1/stream/{n}", [](request& q) -> asio::awaitable<response> {
        const auto n = std::stoul(q.parameter("n"));
        response r{.content_type = "text/csv"};
        r.stream = [n](body_writer& to) -> asio::awaitable<base::result<void>> {
            const auto count = n; // the frame's own: captures go with the function object
            const std::string line(1'000, 'x');
            for (std::size_t i = 0; i < count; ++i) {
                if (auto ok = co_await to.write(line); !ok) {
                    co_return ok;
                }
            }
            co_return base::result<void>{};
        };
        co_return r;
    });
    r.add("GET", "/v1/cut", [](request&) -> asio::awaitable<response> {
        response r;
        r.stream = [](body_writer& to) -> asio::awaitable<base::result<void>> {
            co_await to.write("half of ");
            throw std::runtime_error{"the source is gone"};
        };
        co_return r;
    });
}

inline router test_routes() {
    router r;
    r.add("GET", "/v1/signed-in", [](request& q) -> asio::awaitable<response> {
        q.signed_in();
        co_return response{};
    });
    r.add("GET", "/v1/things/{id}", [](request& q) -> asio::awaitable<response> {
        json::object o{{"id", q.parameter("id")}, {"bearer", q.bearer}, {"q", q.query_value("q", "none")}};
        co_return response{.body = json::serialize(o)};
    });
    r.add("POST", "/v1/refuse",
          [](request&) -> asio::awaitable<response> { co_return problem(403, "no", "ask somebody"); });
    r.add("GET", "/v1/throws", [](request&) -> asio::awaitable<response> {
        throw std::runtime_error{"planted"};
        co_return response{};
    });
    add_waiting_routes(r);
    add_body_routes(r);
    add_stream_routes(r);
    return r;
}

using test_body = asio::awaitable<void> (*)(server&);

/// Runs a server and one coroutine of a test against it.
inline void run(test_body body, server_options options = {}) {
    asio::io_context io;
    std::exception_ptr failure;
    bool finished = false;
    server s{io.get_executor(), options, test_routes()};
    auto all = [](server& s, test_body body) -> asio::awaitable<void> {
        runtime::gate serving{co_await asio::this_coro::executor};
        serving.spawn("server", s.run());
        co_await body(s);
        EXPECT_TRUE(co_await s.stop(patience));
        EXPECT_TRUE(co_await serving.close(patience));
    }(s, body);
    asio::co_spawn(io, std::move(all), [&](std::exception_ptr e) {
        failure = e;
        finished = true;
    });
    io.run_for(patience * 2);
    if (failure) {
        std::rethrow_exception(failure);
    }
    EXPECT_TRUE(finished) << "the test did not end in time";
}

inline client_options to(const server& s) {
    return {.base = fmt::format("http://127.0.0.1:{}", s.port())};
}

inline asio::awaitable<tcp::socket> raw_connection(server& s) {
    tcp::socket socket{co_await asio::this_coro::executor};
    co_await socket.async_connect({asio::ip::address_v4::loopback(), s.port()}, asio::use_awaitable);
    co_return socket;
}

/// Sends bytes as they are and reads until the server closes.
inline asio::awaitable<std::string> talk(server& s, std::string bytes) {
    auto socket = co_await raw_connection(s);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    std::string answer;
    co_await asio::async_read(socket, asio::dynamic_buffer(answer), asio::as_tuple(asio::use_awaitable));
    co_return answer;
}

inline std::size_t count(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
        ++n;
    }
    return n;
}

/// One request on an open connection; the whole answer where the server closes behind it.
inline asio::awaitable<std::string> ask(tcp::socket& on, std::string request) {
    co_await asio::async_write(on, asio::buffer(request), asio::use_awaitable);
    std::string answer;
    co_await asio::async_read_until(on, asio::dynamic_buffer(answer), "\r\n\r\n", asio::as_tuple(asio::use_awaitable));
    co_return answer;
}

/// Whether the server has closed it, at once or within our patience.
inline asio::awaitable<bool> is_closed(tcp::socket& s) {
    std::string rest;
    auto [error, n] = co_await asio::async_read(s, asio::dynamic_buffer(rest), asio::as_tuple(asio::use_awaitable));
    co_return error == asio::error::eof || error == asio::error::connection_reset;
}

} // namespace semel::http
