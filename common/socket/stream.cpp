#include <socket/stream.hpp>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <tuple>

namespace semel::socket {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::fault;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct stream::state : std::enable_shared_from_this<stream::state> {
    using clock = std::chrono::steady_clock;

    tcp::socket socket;
    asio::steady_timer timer;
    clock::time_point deadline = clock::time_point::max();
    clock::time_point armed = clock::time_point::max(); // when the timer fires; never later than the deadline
    bool expired = false;
    std::shared_ptr<asio::ssl::context> context; // outlives tls
    std::optional<asio::ssl::stream<tcp::socket&>> tls;

    explicit state(tcp::socket s)
        : socket(std::move(s))
        , timer(socket.get_executor()) {}

    void set_deadline(clock::time_point at) {
        deadline = at;
        if (at < armed) {
            arm(at);
        }
    }

    void arm(clock::time_point at) {
        armed = at;
        timer.expires_at(at);
        timer.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
            const auto self = weak.lock();
            if (ec || !self) {
                return; // replaced by a nearer one, or gone
            }
            self->armed = clock::time_point::max();
            if (clock::now() < self->deadline) {
                if (self->deadline != clock::time_point::max()) {
                    self->arm(self->deadline);
                }
                return;
            }
            self->expired = true;
            self->close();
        });
    }

    void close() noexcept {
        boost::system::error_code ignored;
        socket.close(ignored);
    }

    void disarm() noexcept {
        deadline = clock::time_point::max();
        try {
            timer.cancel();
        } catch (const boost::system::system_error&) {
            // The timer then fires for nothing.
        }
        armed = clock::time_point::max();
    }
};

base::result<std::shared_ptr<asio::ssl::context>> client_context(const std::filesystem::path& ca,
                                                                 const std::filesystem::path& certificate,
                                                                 const std::filesystem::path& key) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_verify_mode(asio::ssl::verify_peer);
    boost::system::error_code ec;
    if (ca.empty()) {
        context->set_default_verify_paths(ec);
    } else {
        context->load_verify_file(ca.string(), ec);
    }
    if (ec) {
        return base::failed(fault::kind::broken,
                            fmt::format("cannot read the certificate authorities in {}: {}",
                                        ca.empty() ? "the system's store" : ca.string(), ec.message()));
    }
    if (certificate.empty()) {
        return context;
    }
    context->use_certificate_chain_file(certificate.string(), ec);
    if (ec) {
        return base::failed(fault::kind::broken,
                            fmt::format("cannot read the certificate in {}: {}", certificate.string(), ec.message()));
    }
    context->use_private_key_file(key.string(), asio::ssl::context::pem, ec);
    if (ec) {
        return base::failed(fault::kind::broken, fmt::format("the key in {} cannot be read, or is not that of {}: {}",
                                                             key.string(), certificate.string(), ec.message()));
    }
    return context;
}

stream::stream(asio::any_io_executor executor)
    : stream(tcp::socket{executor}) {}
stream::stream(tcp::socket socket)
    : state_(std::make_shared<state>(std::move(socket))) {}
stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&& other) noexcept {
    if (state_) {
        close();
    }
    state_ = std::move(other.state_);
    return *this;
}
stream::~stream() {
    if (state_) {
        close();
    }
}

void stream::expires_after(std::chrono::milliseconds time) {
    state_->set_deadline(state::clock::now() + time);
}
void stream::never_expires() {
    state_->deadline = state::clock::time_point::max();
}
void stream::rest() noexcept {
    state_->disarm();
}
bool stream::timed_out() const noexcept {
    return state_->expired;
}
bool stream::is_open() const noexcept {
    return state_->socket.is_open();
}
bool stream::is_secured() const noexcept {
    return state_->tls.has_value();
}

std::string_view stream::protocol() const noexcept {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    if (state_->tls) {
        SSL_get0_alpn_selected(state_->tls->native_handle(), &chosen, &size);
    }
    return {reinterpret_cast<const char*>(chosen), size};
}
asio::any_io_executor stream::executor() const noexcept {
    return state_->socket.get_executor();
}
std::optional<asio::ip::address> stream::peer() const noexcept {
    boost::system::error_code gone;
    const auto from = state_->socket.remote_endpoint(gone);
    return gone ? std::nullopt : std::optional{from.address()};
}
bool stream::is_quiet() const noexcept {
    char c = 0;
    auto& socket = state_->socket;
    return socket.is_open() && ::recv(socket.native_handle(), &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

void stream::reset() noexcept {
    boost::system::error_code ignored;
    state_->socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    close();
}

void stream::close() noexcept {
    state_->close();
    state_->disarm();
}

asio::awaitable<base::result<void>> stream::connect(std::string host, std::uint16_t port) {
    const auto self = state_;
    const auto where = fmt::format("{}:{}", host, port);
    const auto unreachable = [&](std::string_view why) {
        return base::failed(fault::kind::unreachable,
                            fmt::format("cannot connect to {}: {}", where, self->expired ? "no answer in time" : why));
    };
    std::vector<tcp::endpoint> endpoints;
    boost::system::error_code ec;
    if (const auto address = asio::ip::make_address(host, ec); !ec) {
        endpoints.emplace_back(address, port);
    } else {
        tcp::resolver resolver{self->socket.get_executor()};
        auto [failed, found] = co_await resolver.async_resolve(host, std::to_string(port), as_result);
        if (failed) {
            co_return unreachable(failed.message());
        }
        for (const auto& entry : found) {
            endpoints.push_back(entry.endpoint());
        }
    }
    for (const auto& endpoint : endpoints) {
        if (self->expired) {
            break;
        }
        self->socket.close(ec);
        std::tie(ec) = co_await self->socket.async_connect(endpoint, as_result);
        if (!ec) {
            boost::system::error_code ignored;
            self->socket.set_option(tcp::no_delay{true}, ignored);
            co_return base::result<void>{};
        }
    }
    co_return unreachable(ec.message());
}

asio::awaitable<base::result<void>> stream::secure(std::shared_ptr<asio::ssl::context> context,
                                                   std::string server_name) {
    const auto self = state_;
    self->context = std::move(context);
    auto& tls = self->tls.emplace(self->socket, *self->context);
    boost::system::error_code not_an_ip;
    if (asio::ip::make_address(server_name, not_an_ip); not_an_ip) {
        SSL_set_tlsext_host_name(tls.native_handle(), server_name.c_str()); // SNI has no form for IP addresses
    }
    tls.set_verify_callback(asio::ssl::host_name_verification{server_name});
    const auto [ec] = co_await tls.async_handshake(asio::ssl::stream_base::client, as_result);
    if (!ec) {
        co_return base::result<void>{};
    }
    if (const long verified = SSL_get_verify_result(tls.native_handle()); verified != X509_V_OK) {
        co_return base::failed(fault::kind::broken,
                               fmt::format("the certificate of {} was not accepted: {}; check ca and server_name",
                                           server_name, X509_verify_cert_error_string(verified)));
    }
    co_return base::failed(fault::kind::unreachable,
                           fmt::format("the TLS handshake with {} failed: {}", server_name,
                                       self->expired ? std::string{"no answer in time"} : ec.message()));
}

asio::awaitable<base::result<void>> stream::secure_as_server(std::shared_ptr<asio::ssl::context> context) {
    const auto self = state_;
    self->context = std::move(context);
    auto& tls = self->tls.emplace(self->socket, *self->context);
    const auto [ec] = co_await tls.async_handshake(asio::ssl::stream_base::server, as_result);
    if (ec) {
        co_return base::failed(fault::kind::unreachable,
                               fmt::format("the client does not shake hands: {}",
                                           self->expired ? std::string{"nothing came in time"} : ec.message()));
    }
    co_return base::result<void>{};
}

asio::awaitable<bool> stream::end_writing() {
    const auto self = state_;
    if (self->tls) {
        co_await self->tls->async_shutdown(as_result); // what keeps it from saying so, the socket says below
    }
    boost::system::error_code gone;
    self->socket.shutdown(tcp::socket::shutdown_send, gone);
    co_return !gone;
}

asio::awaitable<void> stream::read_out() {
    const auto self = state_;
    std::array<char, 16 * 1'024> waste{};
    boost::system::error_code ended;
    while (!ended) {
        std::tie(ended, std::ignore) = co_await self->socket.async_read_some(asio::buffer(waste), as_result);
    }
}

asio::awaitable<stream::transferred> stream::read_some(std::span<char> into) {
    const auto buffer = asio::buffer(into.data(), into.size());
    return state_->tls ? state_->tls->async_read_some(buffer, as_result)
                       : state_->socket.async_read_some(buffer, as_result);
}

asio::awaitable<stream::transferred> stream::write(std::string_view bytes) {
    const auto buffer = asio::buffer(bytes);
    return state_->tls ? asio::async_write(*state_->tls, buffer, as_result)
                       : asio::async_write(state_->socket, buffer, as_result);
}

} // namespace semel::socket
