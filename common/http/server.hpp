#pragma once
// An HTTP/1.1 server on Beast: routes to coroutine handlers, streams bodies in both directions, defends itself against
// slow and greedy clients. One strand. Under TLS where it has a certificate, else plain.
//
//   http::router routes;
//   routes.add("GET", "/v1/campaigns/{id}", [&](http::request& r) { return show(store, r); });
//   http::server api{ctx.executor(), {.host = "127.0.0.1", .port = 18080}, std::move(routes)};
//   co_await runtime::race(api.run(), ctx.stop_requested());
//   co_await api.stop(10s);

#include <base/fault.hpp>
#include <http/router.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::http {

/// Lives until its handler has returned; a streaming response must not refer to it.
class request {
  public:
    std::string method; // "GET"
    std::string path;   // as it came, percent-encoded, without the query
    parameters path_values;
    parameters query;
    std::string peer;   // the address it came from
    std::string bearer; // the token of "Authorization: Bearer ..."; empty when there is none
    std::optional<std::uint64_t> content_length;

    /// A parameter of the route's pattern, decoded. Throws std::out_of_range for one that the pattern lacks.
    const std::string& parameter(std::string_view name) const;
    /// A query value, or this default.
    std::string_view query_value(std::string_view name, std::string_view otherwise = {}) const;
    /// Case-insensitive; empty when absent.
    std::string_view header(std::string_view name) const;

    /// Who sent this is known: the connection gets one of the places that are kept for such, and is not closed to make
    /// room for strangers.
    void signed_in();
    /// The next bytes of the body; 0 at its end. `malformed` when the client broke off, stalled or dawdles.
    boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into);
    /// The whole body; `permanent` when it is larger than server_options::whole_body.
    boost::asio::awaitable<base::result<std::string>> body();

    struct source; // the connection it reads from
    explicit request(source& s)
        : source_(&s) {}

  private:
    source* source_;
};

/// Writes the pieces of a streamed response, chunked. `unreachable` when the client is gone or does not read.
class body_writer {
  public:
    virtual boost::asio::awaitable<base::result<void>> write(std::string_view bytes) = 0;

  protected:
    ~body_writer() = default;
};

struct response {
    unsigned status = 200;
    std::string body = {};
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
    /// The answer waits so long before it is sent: for who is turned away again and again. Meanwhile the connection is
    /// closed when another needs its place.
    std::chrono::milliseconds held_back{0};
    /// Instead of `body`. A fault or an exception cuts the connection, so that no client takes a part for the whole.
    std::function<boost::asio::awaitable<base::result<void>>(body_writer&)> stream = nullptr;
};

/// {"error": "...", "hint": "..."}
response problem(unsigned status, std::string_view error, std::string_view hint = {});
/// The same for a fault: malformed 400, permanent 422, throttled 429, broken 500, the rest 503.
response problem(const base::fault&);

/// Called on the server's strand. The function object lives as long as the server, so its captures do too; an exception
/// becomes 500 and a log line.
using handler = std::function<boost::asio::awaitable<response>(request&)>;

class router {
  public:
    /// Throws std::invalid_argument for a pattern that is there already.
    router& add(std::string_view method, std::string_view pattern, handler);
    const route_table& table() const noexcept { return table_; }

  private:
    friend class server;
    route_table table_;
    std::vector<handler> handlers_;
};

struct server_options {
    std::string host = "127.0.0.1";                   // an address, not a name
    std::uint16_t port = 0;                           // 0: any; see server::port()
    std::filesystem::path certificate = {}, key = {}; // PEM; read again when they change. Empty: plain HTTP
    /// When strangers hold all connections but `kept`, a new one takes the place of another: of the address that has
    /// the most, the one that has sent no request for longest. With none waiting it is answered 503 and closed.
    std::size_t connections = 256;
    std::size_t kept = 64;   // of them, for who is signed in
    bool share_port = false; // with other processes of this user that say so too; each gets some of the clients
    std::size_t header_bytes = std::size_t{16} * 1024;
    std::size_t whole_body = std::size_t{8} * 1024 * 1024; // for request::body(); read_some() has no limit
    std::chrono::milliseconds header_timeout{10'000};      // from a header's first byte to its last
    std::chrono::milliseconds idle_timeout{60'000};        // between requests
    std::chrono::milliseconds body_timeout{30'000};        // for each read of a streamed body, and for each write
    std::size_t body_pace = 1'024; // bytes a second that a body must keep up on average, after the first body_timeout
};

class server {
  public:
    /// Listens at once. Throws std::runtime_error that names the address when it is taken, or the certificate that
    /// cannot be used.
    server(boost::asio::any_io_executor, server_options, router);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::uint16_t port() const noexcept;
    /// Accepts until cancelled or stopped; connections run on under a gate of their own.
    boost::asio::awaitable<void> run();
    /// Accepts no more, closes idle connections, lets requests finish. False when the deadline cut some off.
    boost::asio::awaitable<bool> stop(std::chrono::milliseconds deadline);

    struct impl;

  private:
    std::shared_ptr<impl> impl_;
};

} // namespace semel::http
