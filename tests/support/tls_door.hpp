#pragma once
// A door under TLS before a server that speaks plainly: terminates, and passes the bytes on.

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl.hpp>
#include <support/certificates.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace semel::support {

class tls_door {
  public:
    tls_door(boost::asio::io_context& io, const certificates& shown, std::uint16_t to)
        : to_(to)
        , context_(boost::asio::ssl::context::tls_server)
        , acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
        context_.use_certificate_chain_file(shown.server().string());
        context_.use_private_key_file(shown.server_key().string(), boost::asio::ssl::context::pem);
        boost::asio::co_spawn(io, accept(), boost::asio::detached);
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    /// The name that the last client asked for (SNI).
    const std::string& asked_for() const noexcept { return asked_for_; }
    int handshakes() const noexcept { return handshakes_; }

  private:
    using tcp = boost::asio::ip::tcp;
    using secured = boost::asio::ssl::stream<tcp::socket>;
    static constexpr auto quietly = boost::asio::as_tuple(boost::asio::use_awaitable);

    boost::asio::awaitable<void> accept() {
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(quietly);
            if (error) {
                co_return;
            }
            boost::asio::co_spawn(acceptor_.get_executor(),
                                  serve(std::make_shared<secured>(std::move(socket), context_)), boost::asio::detached);
        }
    }
    boost::asio::awaitable<void> serve(std::shared_ptr<secured> client) {
        using namespace boost::asio::experimental::awaitable_operators;
        const auto [refused] = co_await client->async_handshake(boost::asio::ssl::stream_base::server, quietly);
        if (refused) {
            co_return;
        }
        ++handshakes_;
        const char* name = ::SSL_get_servername(client->native_handle(), TLSEXT_NAMETYPE_host_name);
        asked_for_ = name == nullptr ? "" : name;
        auto server = std::make_shared<tcp::socket>(acceptor_.get_executor());
        const auto [away] = co_await server->async_connect({boost::asio::ip::address_v4::loopback(), to_}, quietly);
        if (!away) {
            co_await (pass(*client, *server) || pass(*server, *client));
        }
    }
    template <class From, class To>
    static boost::asio::awaitable<void> pass(From& from, To& to) {
        std::array<char, 16 * 1024> bytes{};
        for (;;) {
            const auto [error, n] = co_await from.async_read_some(boost::asio::buffer(bytes), quietly);
            if (error) {
                co_return;
            }
            const auto [lost, sent] = co_await boost::asio::async_write(to, boost::asio::buffer(bytes, n), quietly);
            if (lost) {
                co_return;
            }
        }
    }

    std::uint16_t to_;
    boost::asio::ssl::context context_;
    tcp::acceptor acceptor_;
    std::string asked_for_;
    int handshakes_ = 0;
};

} // namespace semel::support
