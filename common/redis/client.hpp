#pragma once
// One Redis connection on Asio, plain or under TLS. Commands of concurrent coroutines are pipelined in call order. One
// strand; never shared between threads. Reconnects by itself, and says so: a command that was out when the connection
// broke answers `unreachable`, and whether Redis executed it is unknown.

#include <base/fault.hpp>
#include <redis/identity.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::redis {

/// A reply, copied out of hiredis.
struct reply {
    enum class kind : unsigned char { nil, integer, text, status, error, array };
    kind type = kind::nil;
    std::int64_t integer = 0;
    std::string text; // text, status, error
    std::vector<reply> array;

    bool is_error() const noexcept { return type == kind::error; }
    /// "STALE", "NOSCRIPT", ...: the first word of an error.
    std::string_view error_code() const noexcept;
};

/// A note that the data hold: this server ended in order, or was about to (closing.hpp).
struct closing {
    std::string run_id;
    std::string master_replid;
    std::string name;
};

/// A Lua script, sent as EVALSHA and loaded on NOSCRIPT. Has static storage; register-free.
class script {
  public:
    explicit script(std::string_view source);
    const std::string& source() const noexcept { return source_; }
    const std::string& sha1() const noexcept { return sha1_; }

  private:
    std::string source_;
    std::string sha1_;
};

struct client_options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 16379;
    std::string user = {};                    // of the server's ACL; empty: the default user
    std::filesystem::path password_file = {}; // read for each connection; empty: no password
    std::string password = {};                // instead of the file, for tests
    bool tls = false;
    std::filesystem::path ca = {};                    // PEM; empty: the system's
    std::filesystem::path certificate = {}, key = {}; // ours, where the server asks for one
    std::string server_name = {};                     // for SNI and the certificate check; default: host
    bool managed = false;                             // its provider vouches for its durability
    std::chrono::milliseconds reply_timeout{5'000}; // of the oldest outstanding command; then the connection is dropped
};

class client {
  public:
    client(boost::asio::any_io_executor, client_options);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Waits until connected and the server's identity is known (after LOADING). Cancellable; retries with back-off.
    boost::asio::awaitable<void> connected();
    /// Counts connections; 0 before the first. A changed generation means: compare identity() before trusting keys.
    std::uint64_t generation() const noexcept;
    /// As read on the present connection, before any other command was let through.
    const server_identity& identity() const noexcept;
    /// Whether the present data hold all that was written under that identity, because its server ended in order.
    bool holds_all_of(const server_identity&) const noexcept;
    /// Asks the server whether it is still the one of identity(). False, and the connection is closed, when it is not
    /// (it was demoted, took another master's data, was promoted again) or does not say. What was read or written
    /// between the greeting and a yes concerns the data of that identity.
    boost::asio::awaitable<bool> unchanged();
    /// Whether its provider, and not its settings, vouches for what it keeps.
    bool managed() const noexcept;
    /// Why there is no connection, for health and operators; empty while there is one.
    const std::string& trouble() const noexcept;
    /// Whether that will not pass by itself: a setting, a right or a certificate is wrong.
    bool needs_an_operator() const noexcept;

    /// Fails at once with `unreachable` while there is no connection. An error reply is a reply, not a fault. If it
    /// says that the server cannot serve us (refusal.hpp), the connection ends too, and counts as up again only after a
    /// write has succeeded. A cancelled wait ends at once; the command stays out and may be executed. Destroying the
    /// client answers what is out with `stopping`. Not for SUBSCRIBE, MONITOR or blocking commands: one reply for each
    /// command, in order.
    boost::asio::awaitable<base::result<reply>> command(std::vector<std::string> args);
    boost::asio::awaitable<base::result<reply>> eval(const script&, std::vector<std::string> keys,
                                                     std::vector<std::string> args);

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

/// Refuses, in words, a server without AOF or with an eviction policy other than noeviction. Asks INFO alone: managed
/// servers forbid CONFIG.
boost::asio::awaitable<base::result<void>> check_durability(client&);

} // namespace semel::redis
