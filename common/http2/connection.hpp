#pragma once
// One HTTP/2 connection over TLS: the codec joined to a socket. One reader, one writer, which gathers the frames of
// many streams into one write. Everything runs on the executor (a strand, or a context of one thread) it was opened on.

#include <base/fault.hpp>
#include <http2/codec.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace semel::http2 {

struct target {
    std::string host; // a name, or an address without brackets
    std::uint16_t port = 443;
    std::string authority; // what :authority says: "host" or "host:port"
};
/// "https://host[:port]", nothing after it. broken: anything else.
base::result<target> parse_target(std::string_view endpoint);

/// TLS 1.2 or newer, the peer's certificate checked against `ca` (empty: the system's), ALPN "h2".
base::result<std::shared_ptr<boost::asio::ssl::context>> client_tls(const std::filesystem::path& ca);

struct timing {
    std::chrono::milliseconds connect{10'000};    // TCP and TLS together, after the name is resolved
    std::chrono::milliseconds ping_every{30'000}; // after so long without a byte from the peer
    std::chrono::milliseconds ping_timeout{10'000};
};

class connection;

/// One request on a connection. Destroying it before its answer resets the stream: with the last byte still held
/// back, that withdraws the request for certain. Outlives its connection's end (the answer is a failure then).
class exchange {
  public:
    exchange(std::shared_ptr<connection>, stream_id);
    ~exchange();
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    /// Lets the last byte go. Many releases in one turn of the executor leave in one write.
    void release();
    /// Waits for the end of the stream. After `patience`, or when cancelled, the stream is reset, and the failure says
    /// whether the last byte had gone. Call once.
    boost::asio::awaitable<outcome> answer(std::chrono::milliseconds patience);

  private:
    friend class connection;
    struct state;
    std::shared_ptr<connection> connection_;
    std::unique_ptr<state> state_;
};

class connection : public std::enable_shared_from_this<connection> {
  public:
    /// Resolves, connects, shakes hands and starts reading and writing on the caller's executor.
    /// unreachable: no connection; broken: the certificate does not hold or the peer has no HTTP/2.
    static boost::asio::awaitable<base::result<std::shared_ptr<connection>>>
    open(target, std::shared_ptr<boost::asio::ssl::context>, std::size_t streams, timing = {});
    ~connection();

    std::size_t free_streams() const noexcept;
    std::size_t open_streams() const noexcept;
    /// False once either side has said GOAWAY, or the connection has ended: a new one is needed.
    bool usable() const noexcept;
    bool ended() const noexcept;
    /// Why it ended, for people.
    const std::string& reason() const noexcept;

    /// Nothing when no stream is free.
    std::unique_ptr<exchange> submit(request&&, bool hold);

    /// Called whenever streams became free, usable() changed or the connection ended; must not destroy the connection.
    void on_change(std::function<void()>);
    /// GOAWAY; open streams go on, then the connection ends by itself.
    void goodbye();
    /// Ends it now: what is open fails, as far as it is not answered.
    void end(std::string why);

  private:
    friend class exchange;
    struct impl;
    explicit connection(std::unique_ptr<impl>);
    boost::asio::awaitable<void> read();
    boost::asio::awaitable<void> write();
    boost::asio::awaitable<void> watch();
    void poke();
    void deliver();
    void changed();

    std::unique_ptr<impl> impl_;
};

} // namespace semel::http2
