#pragma once
// A TCP connection, plain or under TLS (from the first byte, or later by STARTTLS), with one deadline that
// ends whatever is under way. One strand.

#include <base/fault.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

namespace semel::socket {

/// TLS 1.2 or newer, the peer verified against `ca` (a PEM file; empty: the system's authorities). `certificate` and
/// `key` (PEM) are ours, for peers that ask for one. `broken` when a file cannot be read.
base::result<std::shared_ptr<boost::asio::ssl::context>> client_context(const std::filesystem::path& ca,
                                                                        const std::filesystem::path& certificate = {},
                                                                        const std::filesystem::path& key = {});

class stream {
  public:
    using transferred = std::tuple<boost::system::error_code, std::size_t>;

    explicit stream(boost::asio::any_io_executor);
    /// One that a server accepted.
    explicit stream(boost::asio::ip::tcp::socket);
    stream(stream&&) noexcept;
    stream& operator=(stream&&) noexcept;
    ~stream();

    /// When the deadline passes the connection is closed: what is under way ends with an error, timed_out() is true.
    /// Cheap: moving a deadline further away touches no timer.
    void expires_after(std::chrono::milliseconds);
    void never_expires();
    /// The same for a connection that nobody uses for a while: its timer no longer keeps the loop from ending.
    void rest() noexcept;
    bool timed_out() const noexcept;

    /// Tries each address of the name. `unreachable` in words, without a stack of error codes.
    boost::asio::awaitable<base::result<void>> connect(std::string host, std::uint16_t port);
    /// `broken` when the certificate does not prove `server_name`: an operator must act; else `unreachable`.
    boost::asio::awaitable<base::result<void>> secure(std::shared_ptr<boost::asio::ssl::context>,
                                                      std::string server_name);
    /// The same as the server of a connection that was accepted. `unreachable` when the client does not shake hands.
    boost::asio::awaitable<base::result<void>> secure_as_server(std::shared_ptr<boost::asio::ssl::context>);

    boost::asio::awaitable<transferred> read_some(std::span<char> into);
    /// All of it, or an error with the bytes that the kernel (under TLS: the record layer) had taken.
    boost::asio::awaitable<transferred> write(std::string_view bytes);

    /// We write no more; the peer reads to the end. Under TLS that is said in its words as well, or the peer could not
    /// tell the end from a cut. False when it is gone.
    boost::asio::awaitable<bool> end_writing();
    /// Until the peer ends: what still comes, under TLS not deciphered, is nobody's.
    boost::asio::awaitable<void> read_out();
    /// Closes with a reset, so that the peer does not take a cut for an end.
    void reset() noexcept;
    /// At once, without goodbyes. What is under way ends with an error. May be called twice.
    void close() noexcept;
    bool is_open() const noexcept;
    bool is_secured() const noexcept;
    /// What the peer chose of the protocols that the context offered (ALPN); empty: nothing.
    std::string_view protocol() const noexcept;
    boost::asio::any_io_executor executor() const noexcept;
    /// Nothing when it is not connected.
    std::optional<boost::asio::ip::address> peer() const noexcept;
    /// Whether nothing waits to be read, not even the peer's end of the connection.
    bool is_quiet() const noexcept;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace semel::socket
