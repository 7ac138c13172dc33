#include "server.hpp"

#include "session.hpp"

#include <base/must.hpp>
#include <http/json.hpp>
#include <runtime/gate.hpp>
#include <runtime/race.hpp>
#include <socket/listen.hpp>
#include <socket/server_identity.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <stdexcept>

namespace semel::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::fault;

const std::string& request::parameter(std::string_view name) const {
    const auto found = path_values.find(name);
    if (found == path_values.end()) {
        throw std::out_of_range{fmt::format("this route has no parameter {{{}}}", name)};
    }
    return found->second;
}

std::string_view request::query_value(std::string_view name, std::string_view otherwise) const {
    const auto found = query.find(name);
    return found == query.end() ? otherwise : std::string_view{found->second};
}

std::string_view request::header(std::string_view name) const {
    return source_->header(name);
}

void request::signed_in() {
    source_->signed_in();
}

asio::awaitable<base::result<std::size_t>> request::read_some(std::span<char> into) {
    return source_->read_some(into);
}

asio::awaitable<base::result<std::string>> request::body() {
    const auto& options = source_->options();
    const auto too_large = [&] {
        return base::failed(fault::kind::permanent,
                            fmt::format("the body is larger than {} bytes", options.whole_body));
    };
    if (content_length && *content_length > options.whole_body) {
        co_return too_large();
    }
    std::string whole;
    std::vector<char> piece(std::size_t{16} * 1024);
    for (;;) {
        const auto n = co_await read_some(piece);
        if (!n) {
            co_return base::failed(n.error());
        }
        if (*n == 0) {
            co_return whole;
        }
        if (whole.size() + *n > options.whole_body) {
            co_return too_large();
        }
        whole.append(piece.data(), *n);
    }
}

response problem(unsigned status, std::string_view error, std::string_view hint) {
    json::object body{{"error", error}};
    if (!hint.empty()) {
        body.emplace("hint", hint);
    }
    return {.status = status, .body = json::serialize(body) + "\n"};
}

response problem(const fault& f) {
    switch (f.what()) {
    case fault::kind::malformed:
        return problem(400, f.why());
    case fault::kind::permanent:
        return problem(422, f.why());
    case fault::kind::throttled: {
        auto r = problem(429, f.why(), "try again later");
        if (f.wait()) {
            const auto seconds = std::chrono::ceil<std::chrono::seconds>(*f.wait()).count();
            r.headers.emplace_back("Retry-After", std::to_string(seconds));
        }
        return r;
    }
    case fault::kind::broken:
        return problem(500, f.why());
    case fault::kind::transient:
    case fault::kind::unreachable:
    case fault::kind::stopping:
        break;
    }
    return problem(503, f.why(), "try again later");
}

router& router::add(std::string_view method, std::string_view pattern, handler h) {
    table_.add(method, pattern);
    handlers_.push_back(std::move(h));
    return *this;
}

struct server::impl : std::enable_shared_from_this<impl> {
    impl(const asio::any_io_executor& ex, server_options o, router r)
        : options(std::move(o))
        , routes(std::move(r))
        , acceptor(ex)
        , connections(ex) {}

    static asio::awaitable<void> converse(std::shared_ptr<impl> self, tcp::socket socket);
    bool make_room();

    server_options options;
    router routes;
    tcp::acceptor acceptor;
    std::uint16_t port = 0;
    bool stopping = false;
    std::list<session*> sessions;
    runtime::gate connections;
    std::optional<socket::server_identity> identity;
};

asio::awaitable<void> server::impl::converse(std::shared_ptr<impl> self, tcp::socket socket) {
    session one{socket::stream{std::move(socket)},
                self->identity ? self->identity->context() : nullptr,
                {.options = self->options,
                 .table = self->routes.table_,
                 .handlers = self->routes.handlers_,
                 .stopping = self->stopping}};
    struct listed {
        std::list<session*>& all;
        std::list<session*>::iterator mine;
        ~listed() { all.erase(mine); }
    };
    const listed entry{self->sessions, self->sessions.insert(self->sessions.end(), &one)};
    co_await one.run();
}

/// Whether one more connection may come in. What waits longest stands first in the list.
bool server::impl::make_room() {
    const auto strangers = std::ranges::count_if(sessions, [](const auto* s) { return !s->known(); });
    const auto for_strangers = options.connections - std::min(options.kept, options.connections - 1);
    if (connections.inside() < options.connections && static_cast<std::size_t>(strangers) < for_strangers) {
        return true;
    }
    std::map<asio::ip::address, std::size_t> of_address;
    for (const auto* s : sessions) {
        of_address[s->peer()] += s->known() ? 0 : 1;
    }
    session* leaves = nullptr;
    for (auto* s : sessions) {
        if (s->gives_way() && (leaves == nullptr || of_address[s->peer()] > of_address[leaves->peer()])) {
            leaves = s;
        }
    }
    if (leaves == nullptr) {
        return false;
    }
    leaves->close();
    return true;
}

server::server(asio::any_io_executor ex, server_options options, router routes)
    : impl_(std::make_shared<impl>(ex, std::move(options), std::move(routes))) {
    if (!impl_->options.certificate.empty()) {
        impl_->identity = base::must(
            socket::server_identity::load(impl_->options.certificate, impl_->options.key, [](std::string_view why) {
                telemetry::log().error("certificate.not_renewed", {{"why", why}});
            }));
    }
    impl_->acceptor = socket::listen(impl_->acceptor.get_executor(), impl_->options.host, impl_->options.port,
                                     impl_->options.share_port);
    impl_->port = impl_->acceptor.local_endpoint().port();
}

server::~server() {
    impl_->stopping = true;
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->connections.cancel_all();
}

std::uint16_t server::port() const noexcept {
    return impl_->port;
}

asio::awaitable<void> server::run() {
    const auto self = impl_;
    while (!self->stopping) {
        auto [error, socket] = co_await self->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted || self->stopping) {
            co_return;
        }
        if (error) { // out of descriptors, most likely: connections must come again when they do
            co_await runtime::sleep(std::chrono::milliseconds{100});
            continue;
        }
        socket.set_option(tcp::no_delay{true}, error);
        if (self->make_room()) {
            self->connections.spawn("http connection", impl::converse(self, std::move(socket)));
            continue;
        }
        constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                                          "Content-Length: 63\r\nConnection: close\r\n\r\n"
                                          "{\"error\":\"too many connections\",\"hint\":\"try again in a moment\"}";
        if (!self->identity) { // under TLS it would be no answer, and a handshake is more than there is time for
            socket.non_blocking(true, error);
            socket.write_some(asio::buffer(busy), error); // a fresh socket has room for it
        }
    }
}

asio::awaitable<bool> server::stop(std::chrono::milliseconds deadline) {
    const auto self = impl_;
    self->stopping = true;
    boost::system::error_code ignored;
    self->acceptor.close(ignored);
    for (auto* s : self->sessions) {
        s->hurry();
        if (s->idle()) {
            s->close();
        }
    }
    const bool drained = co_await self->connections.close(deadline);
    if (!drained) {
        self->connections.cancel_all();
        co_await self->connections.close(std::chrono::seconds{1});
    }
    co_return drained;
}

} // namespace semel::http
