#pragma once
// Kafka's protocol without librdkafka, for the few requests that it has no call for: one connection to one broker, over
// TLS and with SASL as the cluster wants it.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>
#include <socket/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace semel::kafka {

class raw_connection {
  public:
    explicit raw_connection(boost::asio::any_io_executor);

    /// Connects and signs in.
    boost::asio::awaitable<base::result<void>> open(const cluster&, std::string host, std::uint16_t port);
    /// The answer's body, after the correlation id.
    boost::asio::awaitable<base::result<std::string>> ask(std::int16_t what, std::int16_t version, std::string body);

    /// The bytes themselves, for whoever carries them (tunnel.hpp).
    boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into);
    boost::asio::awaitable<bool> write(std::string_view bytes);
    void expires_after(std::chrono::milliseconds time) { wire_.expires_after(time); }
    void never_expires() { wire_.never_expires(); }

  private:
    boost::asio::awaitable<base::result<void>> sign_in(const cluster&);
    boost::asio::awaitable<base::result<std::string>> authenticate(std::string bytes, const cluster&);
    boost::asio::awaitable<base::result<std::string>> read(std::size_t n);

    socket::stream wire_;
};

} // namespace semel::kafka
