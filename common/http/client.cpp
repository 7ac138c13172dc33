#include "client.hpp"

#include "message_io.hpp"
#include "url.hpp"

#include <socket/stream.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace semel::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using base::fault;

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

std::string host_header(const url& u) {
    const auto host = u.host.find(':') == std::string::npos ? u.host : fmt::format("[{}]", u.host);
    return u.port == (u.tls ? 443 : 80) ? host : fmt::format("{}:{}", host, u.port);
}

bool is_not_http(const beast::error_code& error) {
    return error.category() == wire::make_error_code(wire::error::bad_version).category() &&
           error != wire::error::end_of_stream && error != wire::error::partial_message;
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

    asio::awaitable<base::result<client_response>> exchange(const client_request& asked);
    asio::awaitable<beast::error_code> send_head(const client_request& asked);
    asio::awaitable<base::result<void>> send_body(const client_request& asked);
    asio::awaitable<beast::error_code> read_head();
    asio::awaitable<base::result<void>> read_body(const client_request& asked, client_response& into);
    fault no_answer(const beast::error_code& error) const;

    asio::any_io_executor ex;
    client_options options;
    base::result<url> base;
    std::shared_ptr<asio::ssl::context> tls;
    std::optional<socket::stream> stream; // while connected
    beast::flat_buffer buffer;
    std::optional<wire::response_parser<wire::buffer_body>> parser;
    bool answer_began = false;
};

asio::awaitable<base::result<void>> client::impl::connect() {
    stream.emplace(ex);
    stream->expires_after(options.connect_timeout);
    auto ready = co_await stream->connect(base->host, base->port);
    if (ready && base->tls) {
        ready = co_await secure_connection();
    }
    if (!ready) {
        disconnect();
    }
    co_return ready;
}

asio::awaitable<base::result<void>> client::impl::secure_connection() {
    if (!tls) {
        auto made = socket::client_context(options.ca);
        if (!made) {
            co_return base::failed(made.error());
        }
        tls = *std::move(made);
    }
    co_return co_await stream->secure(tls, base->host); // whatever comes of it: nothing was sent
}

/// Whether a kept connection can take another request: the server closes idle ones without asking. What waits here
/// after a whole answer is its goodbye, under TLS as well.
bool client::impl::still_connected() {
    if (stream && !stream->is_quiet()) {
        disconnect();
    }
    return stream.has_value();
}

void client::impl::disconnect() {
    stream.reset();
    buffer.clear();
}

fault client::impl::no_answer(const beast::error_code& error) const {
    if (stream && stream->timed_out()) {
        return {fault::kind::unreachable, "no progress in time"};
    }
    return {fault::kind::unreachable, fmt::format("the connection broke: {}", error.message())};
}

asio::awaitable<beast::error_code> client::impl::send_head(const client_request& asked) {
    wire::request<wire::empty_body> head{wire::verb::unknown, base->base + asked.target, 11};
    head.method_string(asked.method);
    head.set(wire::field::host, host_header(*base));
    head.set(wire::field::user_agent, "semel");
    for (const auto& [name, value] : asked.headers) {
        head.set(name, value);
    }
    if (asked.source) {
        // The server may refuse without taking a body of gigabytes.
        head.set(wire::field::expect, "100-continue");
        if (asked.length) {
            head.content_length(*asked.length);
        } else {
            head.chunked(true);
        }
    } else if (!asked.body.empty() || head.method() == wire::verb::post || head.method() == wire::verb::put) {
        head.content_length(asked.body.size());
    }
    stream->expires_after(options.timeout);
    const auto [error, n] = co_await stream->write(text_of(head) + (asked.source ? std::string{} : asked.body));
    co_return error;
}

asio::awaitable<base::result<void>> client::impl::send_body(const client_request& asked) {
    std::vector<char> bytes(piece_bytes);
    std::uint64_t sent = 0;
    for (;;) {
        const std::string_view content{bytes.data(), asked.source(bytes)};
        sent += content.size();
        if (asked.length && (content.empty() ? sent != *asked.length : sent > *asked.length)) {
            throw std::runtime_error{"what is being sent has changed its size meanwhile"};
        }
        stream->expires_after(options.timeout);
        const auto [error, n] = co_await stream->write(asked.length ? std::string{content} : chunk_of(content));
        if (error) {
            co_return base::failed(no_answer(error));
        }
        if (content.empty()) {
            co_return base::result<void>{};
        }
        // An answer before the end is a refusal: nobody reads the rest. (TLS has words of its own to say meanwhile.)
        if (!base->tls && !stream->is_quiet()) {
            co_return base::failed(fault::kind::unreachable, "the server answered before the end of the body");
        }
    }
}

asio::awaitable<beast::error_code> client::impl::read_head() {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(piece_bytes));
    parser->body_limit(boost::none); // whole_body, or none at all for a sink
    beast::error_code error;
    stream->expires_after(options.timeout);
    while (!error && !parser->is_header_done()) {
        error = co_await read_some(*stream, buffer, *parser);
        answer_began = answer_began || parser->got_some();
    }
    co_return error;
}

asio::awaitable<base::result<void>> client::impl::read_body(const client_request& asked, client_response& into) {
    std::vector<char> bytes(piece_bytes);
    const bool to_sink = asked.sink && into.status == 200;
    while (!parser->is_done()) {
        auto& body = parser->get().body();
        body.data = bytes.data();
        body.size = bytes.size();
        body.more = true;
        stream->expires_after(options.timeout);
        const auto error = co_await read_some(*stream, buffer, *parser);
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

asio::awaitable<base::result<client_response>> client::impl::exchange(const client_request& asked) {
    answer_began = false;
    auto error = co_await send_head(asked);
    bool sent_all = !asked.source;
    std::optional<fault> cut;
    if (!error) {
        error = co_await read_head();
    }
    while (!error && parser->get().result_int() / 100 == 1) {
        if (parser->get().result() == wire::status::continue_ && asked.source && !sent_all && !cut) {
            if (auto sent = co_await send_body(asked); sent) {
                sent_all = true;
            } else {
                cut = sent.error(); // there may be an answer that says why
            }
        }
        error = co_await read_head();
    }
    if (error) {
        co_return base::failed(is_not_http(error) ? fault{fault::kind::malformed,
                                                          fmt::format("the answer is not HTTP: {}", error.message())}
                               : cut              ? *cut
                                                  : no_answer(error));
    }
    client_response response{.status = parser->get().result_int(), .headers = {}, .body = {}};
    for (const auto& field : parser->get()) {
        response.headers.emplace_back(field.name_string(), field.value());
    }
    if (asked.method == "HEAD") {
        parser->skip(true);
    }
    if (auto read = co_await read_body(asked, response); !read) {
        co_return base::failed(read.error());
    }
    if (!parser->keep_alive() || !sent_all) {
        disconnect();
    } else {
        stream->rest();
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
            answer = co_await self.exchange(asked);
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
