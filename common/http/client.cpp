#include "client.hpp"

#include "url.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace semel::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using base::fault;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece = std::size_t{64} * 1024;

std::string host_header(const url& u) {
    const auto host = u.host.find(':') == std::string::npos ? u.host : fmt::format("[{}]", u.host);
    return u.port == (u.tls ? 443 : 80) ? host : fmt::format("{}:{}", host, u.port);
}

fault no_answer(const beast::error_code& error) {
    if (error == beast::error::timeout) {
        return {fault::kind::unreachable, "no progress in time"};
    }
    return {fault::kind::unreachable, fmt::format("the connection broke: {}", error.message())};
}

} // namespace

std::string_view client_response::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (beast::iequals(key, name)) {
            return value;
        }
    }
    return {};
}

struct client::impl {
    impl(asio::any_io_executor e, client_options o)
        : ex(std::move(e))
        , options(std::move(o))
        , base(parse_url(options.base)) {}

    asio::awaitable<base::result<void>> connect();
    asio::awaitable<base::result<void>> secure_connection();
    bool still_connected();
    void disconnect();

    template <class Stream>
    asio::awaitable<base::result<client_response>> exchange(Stream& stream, const client_request& asked);
    template <class Stream>
    asio::awaitable<base::result<void>> send_body(Stream& stream, const client_request& asked);
    template <class Stream>
    asio::awaitable<beast::error_code> read_header(Stream& stream);
    template <class Stream>
    asio::awaitable<base::result<void>> read_body(Stream& stream, const client_request& asked, client_response& into);

    asio::any_io_executor ex;
    client_options options;
    base::result<url> base;
    std::optional<asio::ssl::context> tls;
    std::optional<beast::tcp_stream> plain;
    std::optional<beast::ssl_stream<beast::tcp_stream>> secure; // one of the two while connected
    beast::flat_buffer buffer;
    std::optional<wire::response_parser<wire::buffer_body>> parser;
    bool answer_began = false;
};

asio::awaitable<base::result<void>> client::impl::connect() {
    const auto where = fmt::format("{}:{}", base->host, base->port);
    tcp::resolver resolver{ex};
    auto [unknown, found] = co_await resolver.async_resolve(base->host, std::to_string(base->port), quietly);
    if (unknown) {
        co_return base::failed(fault::kind::unreachable,
                               fmt::format("{} does not resolve: {}", base->host, unknown.message()));
    }
    plain.emplace(ex);
    plain->expires_after(options.connect_timeout);
    auto [refused, endpoint] = co_await plain->async_connect(found, quietly);
    if (refused) {
        disconnect();
        co_return base::failed(fault::kind::unreachable,
                               fmt::format("cannot connect to {}: {}", where, refused.message()));
    }
    beast::error_code ignored;
    plain->socket().set_option(tcp::no_delay{true}, ignored);
    if (base->tls) {
        if (auto ready = co_await secure_connection(); !ready) {
            disconnect();
            co_return base::failed(ready.error().within(where));
        }
    }
    co_return base::result<void>{};
}

asio::awaitable<base::result<void>> client::impl::secure_connection() {
    if (!tls) {
        tls.emplace(asio::ssl::context::tls_client);
        tls->set_verify_mode(asio::ssl::verify_peer);
        beast::error_code bad;
        if (::SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION) != 1) {
            bad = asio::error::operation_not_supported;
        } else if (options.ca.empty()) {
            tls->set_default_verify_paths(bad);
        } else {
            tls->load_verify_file(options.ca.string(), bad);
        }
        if (bad) {
            tls.reset();
            co_return base::failed(fault::kind::broken,
                                   fmt::format("cannot read the certificates of \"{}\": {}. It must be a PEM file",
                                               options.ca.string(), bad.message()));
        }
    }
    secure.emplace(std::move(*plain), *tls);
    plain.reset();
    // An IP address is no server name (RFC 6066), but it is verified like one.
    beast::error_code not_an_ip;
    asio::ip::make_address(base->host, not_an_ip);
    if (not_an_ip && ::SSL_set_tlsext_host_name(secure->native_handle(), base->host.c_str()) != 1) {
        co_return base::failed(fault::kind::broken, "OpenSSL does not take the server's name");
    }
    secure->set_verify_callback(asio::ssl::host_name_verification{base->host});
    auto [failed] = co_await secure->async_handshake(asio::ssl::stream_base::client, quietly);
    if (failed) {
        co_return base::failed(
            fault::kind::unreachable,
            fmt::format("TLS failed: {} (certificate: {})", failed.message(),
                        ::X509_verify_cert_error_string(::SSL_get_verify_result(secure->native_handle()))));
    }
    co_return base::result<void>{};
}

/// Whether a kept connection can take another request: the server closes idle ones without asking.
bool client::impl::still_connected() {
    if (!plain && !secure) {
        return false;
    }
    auto& socket = plain ? plain->socket() : secure->next_layer().socket();
    char c = 0;
    const auto n = ::recv(socket.native_handle(), &c, 1, MSG_PEEK | MSG_DONTWAIT);
    // Nothing to read is what is wanted; over TLS, session tickets may wait here.
    const bool alive = n < 0 ? errno == EAGAIN || errno == EWOULDBLOCK : n > 0 && secure.has_value();
    if (!alive) {
        disconnect();
    }
    return alive;
}

void client::impl::disconnect() {
    plain.reset();
    secure.reset();
    buffer.clear();
}

template <class Stream>
asio::awaitable<beast::error_code> client::impl::read_header(Stream& stream) {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(piece));
    parser->body_limit(boost::none); // whole_body, or none at all for a sink
    beast::get_lowest_layer(stream).expires_after(options.timeout);
    auto [error, n] = co_await wire::async_read_header(stream, buffer, *parser, quietly);
    answer_began = answer_began || n > 0;
    co_return error;
}

template <class Stream>
asio::awaitable<base::result<void>> client::impl::send_body(Stream& stream, const client_request& asked) {
    std::vector<char> bytes(piece);
    std::uint64_t sent = 0;
    auto& socket = beast::get_lowest_layer(stream).socket();
    for (;;) {
        const auto n = asked.source(bytes);
        sent += n;
        if (asked.length && (n == 0 ? sent != *asked.length : sent > *asked.length)) {
            throw std::runtime_error{"what is being sent has changed its size meanwhile"};
        }
        const asio::const_buffer content{bytes.data(), n};
        beast::error_code error;
        beast::get_lowest_layer(stream).expires_after(options.timeout);
        if (asked.length) {
            if (n == 0) {
                co_return base::result<void>{};
            }
            std::tie(error, std::ignore) = co_await asio::async_write(stream, content, quietly);
        } else if (n == 0) {
            auto last = wire::make_chunk_last();
            std::tie(error, std::ignore) = co_await asio::async_write(stream, last, quietly);
        } else {
            auto chunk = wire::make_chunk(content);
            std::tie(error, std::ignore) = co_await asio::async_write(stream, chunk, quietly);
        }
        if (error) {
            co_return base::failed(no_answer(error));
        }
        if (n == 0) {
            co_return base::result<void>{};
        }
        // An answer before the end is a refusal: nobody reads the rest.
        if (!base->tls && socket.available(error) > 0) {
            co_return base::failed(fault::kind::unreachable, "the server answered before the end of the body");
        }
    }
}

template <class Stream>
asio::awaitable<base::result<void>> client::impl::read_body(Stream& stream, const client_request& asked,
                                                            client_response& into) {
    std::vector<char> bytes(piece);
    const bool to_sink = asked.sink && into.status == 200;
    while (!parser->is_done()) {
        auto& body = parser->get().body();
        body.data = bytes.data();
        body.size = bytes.size();
        body.more = true;
        beast::get_lowest_layer(stream).expires_after(options.timeout);
        auto [error, n] = co_await wire::async_read_some(stream, buffer, *parser, quietly);
        const std::string_view got{bytes.data(), bytes.size() - body.size};
        if (error && error != wire::error::need_buffer) {
            co_return base::failed(fault::kind::unreachable,
                                   fmt::format("the answer was cut off: {}", no_answer(error).why()));
        }
        if (to_sink) {
            asked.sink(got);
        } else if (into.body.size() + got.size() > options.whole_body) {
            co_return base::failed(fault::kind::malformed,
                                   fmt::format("the answer is larger than {} bytes", options.whole_body));
        } else {
            into.body.append(got);
        }
    }
    co_return base::result<void>{};
}

template <class Stream>
asio::awaitable<base::result<client_response>> client::impl::exchange(Stream& stream, const client_request& asked) {
    answer_began = false;
    wire::request<wire::string_body> message{wire::verb::unknown, base->base + asked.target, 11};
    message.method_string(asked.method);
    message.set(wire::field::host, host_header(*base));
    message.set(wire::field::user_agent, "semel");
    for (const auto& [name, value] : asked.headers) {
        message.set(name, value);
    }
    if (asked.source) {
        // The server may refuse without taking a body of gigabytes.
        message.set(wire::field::expect, "100-continue");
        if (asked.length) {
            message.content_length(*asked.length);
        } else {
            message.chunked(true);
        }
    } else {
        message.body() = asked.body;
        message.prepare_payload();
    }
    wire::request_serializer<wire::string_body> serializer{message};
    beast::get_lowest_layer(stream).expires_after(options.timeout);
    beast::error_code error;
    if (asked.source) {
        std::tie(error, std::ignore) = co_await wire::async_write_header(stream, serializer, quietly);
    } else {
        std::tie(error, std::ignore) = co_await wire::async_write(stream, serializer, quietly);
    }
    bool sent_all = !asked.source;
    std::optional<fault> cut;
    if (!error) {
        error = co_await read_header(stream);
    }
    while (!error && parser->get().result_int() / 100 == 1) {
        if (parser->get().result() == wire::status::continue_ && asked.source && !sent_all && !cut) {
            if (auto sent = co_await send_body(stream, asked); sent) {
                sent_all = true;
            } else {
                cut = sent.error(); // there may be an answer that says why
            }
        }
        error = co_await read_header(stream);
    }
    if (error) {
        const bool not_http = error.category() == wire::make_error_code(wire::error::bad_version).category() &&
                              error != wire::error::end_of_stream && error != wire::error::partial_message;
        co_return base::failed(
            not_http ? fault{fault::kind::malformed, fmt::format("the answer is no HTTP: {}", error.message())}
            : cut    ? *cut
                     : no_answer(error));
    }
    client_response response{.status = parser->get().result_int(), .headers = {}, .body = {}};
    for (const auto& field : parser->get()) {
        response.headers.emplace_back(field.name_string(), field.value());
    }
    if (asked.method == "HEAD") {
        parser->skip(true);
    }
    if (auto read = co_await read_body(stream, asked, response); !read) {
        co_return base::failed(read.error());
    }
    if (!parser->keep_alive() || !sent_all) {
        disconnect();
    }
    co_return response;
}

client::client(asio::any_io_executor ex, client_options options)
    : impl_(std::make_unique<impl>(std::move(ex), std::move(options))) {}
client::~client() = default;

asio::awaitable<base::result<client_response>> client::send(client_request asked) {
    auto& self = *impl_;
    if (!self.base) {
        co_return base::failed(self.base.error().within(self.options.base));
    }
    for (;;) {
        const bool kept = self.still_connected();
        if (!kept) {
            if (auto connected = co_await self.connect(); !connected) {
                co_return base::failed(connected.error());
            }
        }
        base::result<client_response> answer;
        std::exception_ptr thrown;
        try {
            answer =
                self.secure ? co_await self.exchange(*self.secure, asked) : co_await self.exchange(*self.plain, asked);
        } catch (...) {
            thrown = std::current_exception();
        }
        if (thrown || !answer) {
            self.disconnect(); // what is on the wire belongs to no request any more
        }
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        // The server may have closed the kept connection just now, before it saw a request that changes nothing.
        if (!answer && kept && !self.answer_began && asked.method == "GET") {
            continue;
        }
        if (!answer) {
            co_return base::failed(answer.error().within(fmt::format("{} {}{}", asked.method, self.options.base,
                                                                     asked.target.substr(0, asked.target.find('?')))));
        }
        co_return answer;
    }
}

} // namespace semel::http
