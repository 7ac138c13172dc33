#pragma once
// Takes mails that come back, from the relays that hand them over by LMTP, and hands them on to `gateway.receipts`. A
// relay is told that a mail is kept only once Kafka has it. One strand.

#include <config/config.hpp>
#include <runtime/gate.hpp>
#include <semel/v1/delivery.pb.h>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <receipts/core/lmtp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace semel::receipts {

/// Who reads the return paths of these relays; nothing for one without a verp_key_file. Throws std::runtime_error that
/// names a key file which cannot be read.
lmtp_session::reader_of_paths reader_of(const std::vector<config::gateway>& relays);

class bounce_server {
  public:
    /// Whether Kafka has it.
    using keeper = std::function<boost::asio::awaitable<bool>(v1::GatewayReceipt)>;
    struct options {
        std::string host = "127.0.0.1"; // an address, not a name
        std::uint16_t port = 0;         // 0: any; see port()
        std::size_t connections = 64;
        std::chrono::milliseconds patience{std::chrono::minutes{2}}; // for each read and write
        lmtp_session::limits limits = {};
    };

    /// Listens at once. Throws std::runtime_error that names the address when it is taken.
    bounce_server(boost::asio::any_io_executor, options, lmtp_session::reader_of_paths, keeper, telemetry::metrics&);
    ~bounce_server();
    bounce_server(const bounce_server&) = delete;
    bounce_server& operator=(const bounce_server&) = delete;

    std::uint16_t port() const noexcept;
    /// Accepts until cancelled. A mail that is not yet answered for comes again: its relay keeps it.
    boost::asio::awaitable<void> run();

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::receipts
