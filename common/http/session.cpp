#include "session.hpp"

#include "message_io.hpp"
#include "url.hpp"

#include <telemetry/log.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using base::fault;

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;
constexpr auto farewell = std::chrono::seconds{2};

std::string bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() || !beast::iequals(authorization.substr(0, scheme.size()), scheme)) {
        return {};
    }
    authorization.remove_prefix(scheme.size());
    authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
    return std::string{authorization};
}

/// A line feed in a value would let a handler's data write headers of its own.
bool one_line(std::string_view value) {
    return value.find_first_of(std::string_view{"\r\n\0", 3}) == value.npos;
}

void fill_header(wire::response_header<>& to, const response& from) {
    to.result(from.status);
    if (!from.body.empty() || from.stream) {
        to.set(wire::field::content_type, from.content_type);
    }
    for (const auto& [name, value] : from.headers) {
        if (!one_line(name) || !one_line(value)) {
            throw std::invalid_argument{"a response header with a line break"};
        }
        to.insert(name, value);
    }
}

/// RFC 9112, section 6.1: the one coding that says where a body ends. Anything else, even "chunked, identity", would
/// leave its bytes to be read as a request.
bool is_framed(const wire::request_header<>& head) {
    const auto [first, last] = head.equal_range(wire::field::transfer_encoding);
    return first == last || (std::next(first) == last && beast::iequals(first->value(), "chunked"));
}

/// Between two writes nothing expires: a handler may take its time.
asio::awaitable<beast::error_code> write_within(std::chrono::milliseconds patience, socket::stream& to,
                                                std::string_view bytes) {
    to.expires_after(patience);
    const auto [error, n] = co_await to.write(bytes);
    to.never_expires();
    co_return error;
}

class piece_writer final : public body_writer {
  public:
    piece_writer(socket::stream& to, bool chunked, std::chrono::milliseconds patience)
        : stream_(to)
        , chunked_(chunked)
        , patience_(patience) {}

    asio::awaitable<base::result<void>> write(std::string_view bytes) override {
        if (bytes.empty()) { // an empty chunk would end the body
            co_return base::result<void>{};
        }
        const auto text = chunked_ ? chunk_of(bytes) : std::string{};
        if (const auto error = co_await write_within(patience_, stream_, chunked_ ? text : bytes)) {
            co_return base::failed(fault::kind::unreachable,
                                   fmt::format("the client no longer reads the answer: {}", error.message()));
        }
        co_return base::result<void>{};
    }

  private:
    socket::stream& stream_;
    bool chunked_;
    std::chrono::milliseconds patience_;
};

} // namespace

session::session(socket::stream stream, std::shared_ptr<asio::ssl::context> tls, service s)
    : service_(s)
    , stream_(std::move(stream))
    , tls_(std::move(tls))
    , pause_(stream_.executor())
    , buffer_(s.options.header_bytes + piece_bytes)
    , peer_(stream_.peer().value_or(asio::ip::address{})) {}

asio::awaitable<void> session::run() {
    auto then = co_await shake_hands() ? next::request : next::cut;
    while (then == next::request) {
        then = co_await serve_one();
    }
    if (then == next::goodbye) {
        co_await linger();
        stream_.close();
    } else {
        stream_.reset(); // whoever reads a streamed answer must not take the cut for its end
    }
}

/// A client that dawdles here is a stranger like one that dawdles with its header.
asio::awaitable<bool> session::shake_hands() {
    if (!tls_) {
        co_return true;
    }
    idle_ = true;
    stream_.expires_after(service_.options.header_timeout);
    const auto secured = co_await stream_.secure_as_server(tls_);
    stream_.never_expires();
    idle_ = false;
    co_return secured.has_value();
}

asio::awaitable<session::next> session::serve_one() {
    const auto& options = service_.options;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(options.header_bytes));
    parser_->body_limit(boost::none); // request::body() has one; a streamed body has none
    broken_ = false;
    waits_ = true;
    if (buffer_.size() == 0) {
        if (service_.stopping) {
            co_return next::goodbye;
        }
        idle_ = true;
        stream_.expires_after(options.idle_timeout);
        const auto space = buffer_.prepare(4'096);
        const auto [error, n] = co_await stream_.read_some({static_cast<char*>(space.data()), space.size()});
        idle_ = false;
        if (error) {
            co_return next::goodbye;
        }
        buffer_.commit(n);
    }
    stream_.expires_after(options.header_timeout); // for the whole header, however slowly it drips
    beast::error_code error;
    while (!error && !parser_->is_header_done()) {
        error = co_await http::read_some(stream_, buffer_, *parser_);
    }
    stream_.never_expires(); // while the handler works
    const auto refuse = [&](unsigned status, std::string_view why, std::string_view hint) {
        keep_ = false;
        return answer(problem(status, why, hint));
    };
    if (error == wire::error::header_limit || error == wire::error::buffer_overflow) {
        co_return co_await refuse(431, fmt::format("the header is larger than {} bytes", options.header_bytes),
                                  "send less in headers, and data in the body");
    }
    if (error && error.category() == wire::make_error_code(wire::error::bad_method).category() &&
        error != wire::error::end_of_stream && error != wire::error::partial_message) {
        co_return co_await refuse(400, fmt::format("this is not an HTTP/1.1 request: {}", error.message()), "");
    }
    if (error) {
        co_return next::cut; // gone, or too slow
    }
    if (!is_framed(parser_->get())) {
        co_return co_await refuse(400, "Transfer-Encoding may only be chunked",
                                  "send the body chunked, or with its Content-Length");
    }
    keep_ = parser_->keep_alive();
    waits_ = false;
    body_began_ = std::chrono::steady_clock::now();
    body_bytes_ = 0;
    awaits_continue_ = beast::iequals(parser_->get()[wire::field::expect], "100-continue");
    auto response = co_await dispatch();
    if (response.held_back.count() != 0 && !service_.stopping) {
        co_await hold_back(response.held_back);
        if (closed_) {
            co_return next::cut;
        }
    }
    keep_ = body_is_here() && keep_ && !service_.stopping;
    co_return co_await answer(std::move(response));
}

asio::awaitable<void> session::hold_back(std::chrono::milliseconds wait) {
    waits_ = true;
    pause_.expires_after(wait);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    waits_ = false;
}

asio::awaitable<response> session::dispatch() {
    const auto& head = parser_->get();
    request r{*this};
    r.method = std::string_view{head.method_string()};
    const std::string_view target{head.target()};
    const auto question = target.find('?');
    r.path = target.substr(0, question);
    auto query = parse_query(question == target.npos ? std::string_view{} : target.substr(question + 1));
    if (!query) {
        co_return problem(400, "the query has a broken percent escape", "encode it as RFC 3986 says");
    }
    r.query = std::move(*query);
    r.peer = peer_.to_string();
    r.bearer = bearer_token(header("authorization"));
    if (const auto length = parser_->content_length()) {
        r.content_length = *length;
    }
    auto match = service_.table.find(r.method, r.path);
    if (auto* found = std::get_if<route_table::found>(&match)) {
        r.path_values = std::move(found->values);
        co_return co_await call(service_.handlers[found->route], r);
    }
    if (const auto* wrong = std::get_if<route_table::wrong_method>(&match)) {
        auto refusal = problem(405, fmt::format("{} is not possible here", r.method), "use " + wrong->allowed);
        refusal.headers.emplace_back("Allow", wrong->allowed);
        co_return refusal;
    }
    if (std::holds_alternative<route_table::bad_path>(match)) {
        co_return problem(400, "the path is broken",
                          "encode each segment as RFC 3986 says; \"..\" and slashes are not names");
    }
    co_return problem(404, "there is nothing at this path", "docs/openapi.yaml lists all paths");
}

asio::awaitable<response> session::call(const handler& h, request& r) {
    try {
        co_return co_await h(r);
    } catch (const std::exception& error) {
        telemetry::log().error("request.failed", {{"method", r.method}, {"why", error.what()}});
    }
    co_return problem(500, "the service failed", "its log says why");
}

/// Whether the next request can follow on this connection: the rest of a body that its handler did not want has come
/// already. Nobody waits for more of it, or a refused client could hold the connection with a byte at a time.
bool session::body_is_here() {
    std::array<char, 4'096> waste;
    auto& body = parser_->get().body();
    while (!broken_ && !parser_->is_done() && buffer_.size() > 0) {
        body.data = waste.data();
        body.size = waste.size();
        body.more = true;
        beast::error_code error;
        const auto used = parser_->put(buffer_.data(), error);
        buffer_.consume(used);
        broken_ = error && error != wire::error::need_buffer && error != wire::error::need_more;
        if (used == 0 && body.size == waste.size()) {
            break;
        }
    }
    return !broken_ && parser_->is_done();
}

/// Each read has a deadline of its own; this is for those who send a byte at a time.
bool session::dawdles() const {
    const auto& o = service_.options;
    const auto taken = std::chrono::steady_clock::now() - body_began_;
    return taken > o.body_timeout &&
           std::chrono::duration<double>(taken - o.body_timeout).count() * static_cast<double>(o.body_pace) >
               static_cast<double>(body_bytes_);
}

asio::awaitable<session::next> session::answer(response r) {
    if (r.stream) {
        co_return co_await answer_streamed(std::move(r));
    }
    wire::response<wire::empty_body> head{wire::status::ok, parser_->get().version()};
    fill_header(head, r);
    head.keep_alive(keep_);
    if (!r.body.empty() || (head.result() != wire::status::no_content && head.result() != wire::status::not_modified)) {
        head.content_length(r.body.size());
    }
    const auto error = co_await write_within(service_.options.body_timeout, stream_, text_of(head) + r.body);
    co_return error ? next::cut : keep_ ? next::request : next::goodbye;
}

asio::awaitable<session::next> session::answer_streamed(response r) {
    const bool chunked = parser_->get().version() >= 11;
    const auto patience = service_.options.body_timeout;
    keep_ = keep_ && chunked; // HTTP/1.0 knows the end of the body by the end of the connection
    wire::response<wire::empty_body> head{wire::status::ok, parser_->get().version()};
    fill_header(head, r);
    head.keep_alive(keep_);
    head.chunked(chunked);
    if (co_await write_within(patience, stream_, text_of(head))) {
        co_return next::cut;
    }
    piece_writer writer{stream_, chunked, patience};
    try {
        if (auto written = co_await r.stream(writer); !written) {
            telemetry::log().warn("response.cut", {{"why", written.error().why()}});
            co_return next::cut;
        }
    } catch (const std::exception& error) {
        telemetry::log().error("response.cut", {{"why", error.what()}});
        co_return next::cut;
    }
    if (chunked && co_await write_within(patience, stream_, chunk_of({}))) {
        co_return next::cut;
    }
    co_return keep_ ? next::request : next::goodbye;
}

/// Closing with unread bytes resets the connection, and the reset may overtake the answer: read on for a moment.
asio::awaitable<void> session::linger() {
    stream_.expires_after(farewell);
    if (co_await stream_.end_writing()) {
        co_await stream_.read_out();
    }
}

asio::awaitable<base::result<std::size_t>> session::read_some(std::span<char> into) {
    auto& body = parser_->get().body();
    beast::error_code error;
    if (awaits_continue_) {
        awaits_continue_ = false;
        constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        error = co_await write_within(service_.options.body_timeout, stream_, go_on);
    }
    body.data = into.data();
    body.size = into.size();
    body.more = true;
    while (!error && !parser_->is_done() && body.size == into.size() && !into.empty()) {
        if (dawdles()) {
            error = asio::error::timed_out;
            break;
        }
        stream_.expires_after(service_.options.body_timeout);
        error = co_await http::read_some(stream_, buffer_, *parser_);
        stream_.never_expires();
        if (error == wire::error::need_buffer) {
            error = {};
        }
    }
    const auto n = into.size() - body.size;
    body_bytes_ += n;
    if (error) {
        broken_ = true;
        co_return base::failed(
            fault::kind::malformed,
            fmt::format("the client broke off or stalled in the middle of its body: {}", error.message()));
    }
    co_return n;
}

std::string_view session::header(std::string_view name) const {
    const auto& fields = parser_->get();
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view{} : std::string_view{found->value()};
}

} // namespace semel::http
