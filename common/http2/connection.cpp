#include "connection.hpp"

#include <socket/stream.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <url/url.hpp>

#include <unordered_map>

namespace semel::http2 {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using base::failed;
using base::fault;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

constexpr std::size_t write_batch_bytes = 64 * 1024;
constexpr std::size_t read_batch_bytes = 32 * 1024; // two TLS records

} // namespace

struct exchange::state {
    state(const asio::any_io_executor& on, stream_id i)
        : id(i)
        , wake(on, clock::time_point::max()) {}
    stream_id id;
    asio::steady_timer wake;
    std::optional<outcome> done;
};

struct connection::impl {
    impl(const asio::any_io_executor& on, target t, std::shared_ptr<asio::ssl::context> tls, std::size_t streams,
         timing w)
        : peer(std::move(t))
        , context(std::move(tls))
        , stream(on)
        , frames(streams)
        , when(w)
        , wake(on, clock::time_point::max())
        , watchdog(on) {}

    target peer;
    std::shared_ptr<asio::ssl::context> context;
    socket::stream stream;
    codec frames;
    timing when;
    asio::steady_timer wake; // the writer sleeps on it; a cancellation wakes it
    asio::steady_timer watchdog;
    bool writer_sleeps = false;
    bool pinging = false;
    clock::time_point last_read = clock::now();
    std::unordered_map<stream_id, exchange::state*> waiting;
    std::function<void()> listener;
    bool ended = false;
    std::string reason;
};

base::result<target> parse_target(std::string_view endpoint) {
    const auto refuse = [](std::string_view why) {
        return failed(fault::kind::broken,
                      fmt::format("the endpoint: {}; write https://HOST or https://HOST:PORT", why));
    };
    auto place = url::parse(endpoint);
    if (!place) {
        return refuse(place.error().why());
    }
    if (!place->tls) {
        return refuse("it does not begin with https://");
    }
    if (!place->path.empty() && place->path != "/") {
        return refuse("it has more than a host and a port");
    }
    target out;
    out.host = std::move(place->host);
    out.port = place->port;
    out.authority = std::move(place->authority);
    return out;
}

base::result<std::shared_ptr<asio::ssl::context>> client_tls(const std::filesystem::path& ca) {
    auto context = socket::client_context(ca);
    if (context) {
        constexpr unsigned char h2[] = {2, 'h', '2'};
        SSL_CTX_set_alpn_protos((*context)->native_handle(), h2, sizeof h2);
    }
    return context;
}

exchange::exchange(std::shared_ptr<connection> c, stream_id id)
    : connection_(std::move(c))
    , state_(std::make_unique<state>(connection_->impl_->stream.executor(), id)) {
    connection_->impl_->waiting.emplace(id, state_.get());
}

exchange::~exchange() {
    auto& c = *connection_->impl_;
    if (c.waiting.erase(state_->id) != 0) {
        c.frames.abandon(state_->id);
        connection_->poke();
        connection_->changed();
    }
}

void exchange::release() {
    connection_->impl_->frames.release(state_->id);
    connection_->poke();
}

asio::awaitable<outcome> exchange::answer(std::chrono::milliseconds patience) {
    auto& s = *state_;
    if (!s.done) {
        s.wake.expires_after(patience);
        error_code woken;
        co_await s.wake.async_wait(asio::redirect_error(use_awaitable, woken));
        if (!s.done) {
            auto why = woken ? std::string{"the wait for an answer was given up"}
                             : fmt::format("no answer within {} ms", patience.count());
            connection_->impl_->frames.cancel(s.id, std::move(why));
            connection_->poke();
            connection_->deliver();
        }
    }
    co_return std::move(*s.done);
}

connection::connection(std::unique_ptr<impl> i)
    : impl_(std::move(i)) {}
connection::~connection() = default;

asio::awaitable<base::result<std::shared_ptr<connection>>>
connection::open(target peer, std::shared_ptr<asio::ssl::context> tls, std::size_t streams, timing when) {
    const auto executor = co_await asio::this_coro::executor;
    auto self = std::shared_ptr<connection>{
        new connection{std::make_unique<impl>(executor, std::move(peer), std::move(tls), streams, when)}};
    auto& me = *self->impl_;
    me.stream.expires_after(when.connect);
    if (auto connected = co_await me.stream.connect(me.peer.host, me.peer.port); !connected) {
        co_return failed(connected.error());
    }
    if (auto secured = co_await me.stream.secure(me.context, me.peer.host); !secured) {
        co_return failed(secured.error());
    }
    if (me.stream.protocol() != "h2") {
        co_return failed(fault::kind::broken, fmt::format("{}:{} does not speak HTTP/2 (ALPN \"h2\" was not chosen); "
                                                          "check the endpoint",
                                                          me.peer.host, me.peer.port));
    }
    me.stream.rest();
    me.last_read = clock::now();

    // Each loop keeps the connection alive and ends when the connection has: end() closes the socket under them.
    asio::co_spawn(executor, self->read(),
                   [self](const std::exception_ptr& e) { e ? std::rethrow_exception(e) : void(); });
    asio::co_spawn(executor, self->write(),
                   [self](const std::exception_ptr& e) { e ? std::rethrow_exception(e) : void(); });
    asio::co_spawn(executor, self->watch(),
                   [self](const std::exception_ptr& e) { e ? std::rethrow_exception(e) : void(); });
    co_return self;
}

std::size_t connection::free_streams() const noexcept {
    return impl_->ended ? 0 : impl_->frames.free_streams();
}
std::size_t connection::open_streams() const noexcept {
    return impl_->frames.open_streams();
}
bool connection::usable() const noexcept {
    return !impl_->ended && !impl_->frames.going_away();
}
bool connection::ended() const noexcept {
    return impl_->ended;
}
const std::string& connection::reason() const noexcept {
    return impl_->reason;
}

std::unique_ptr<exchange> connection::submit(request&& r, bool hold) {
    if (impl_->ended) {
        return nullptr;
    }
    const auto id = impl_->frames.submit(std::move(r), hold);
    if (!id) {
        return nullptr;
    }
    poke();
    return std::make_unique<exchange>(shared_from_this(), *id);
}

void connection::on_change(std::function<void()> listener) {
    impl_->listener = std::move(listener);
}

void connection::goodbye() {
    impl_->frames.goodbye();
    poke();
    changed();
}

void connection::end(std::string why) {
    if (impl_->ended) {
        return;
    }
    impl_->ended = true;
    impl_->reason = std::move(why);
    impl_->stream.close();
    impl_->watchdog.cancel();
    poke();
    impl_->frames.lost(impl_->reason);
    deliver();
    changed();
}

void connection::poke() {
    if (impl_->writer_sleeps) {
        impl_->writer_sleeps = false;
        impl_->wake.cancel();
    }
}

void connection::changed() {
    if (impl_->listener) {
        impl_->listener();
    }
}

void connection::deliver() {
    auto ends = impl_->frames.take_finished();
    for (auto& [id, result] : ends) {
        if (const auto found = impl_->waiting.find(id); found != impl_->waiting.end()) {
            found->second->done = std::move(result);
            found->second->wake.cancel();
            impl_->waiting.erase(found);
        }
    }
    if (!ends.empty()) {
        changed();
    }
}

asio::awaitable<void> connection::read() {
    auto& me = *impl_;
    std::string buffer(read_batch_bytes, '\0');
    while (!me.ended) {
        const auto [error, n] = co_await me.stream.read_some(buffer);
        if (me.ended) {
            break;
        }
        if (error) {
            end(fmt::format("the connection to {}:{} was lost: {}", me.peer.host, me.peer.port, error.message()));
            break;
        }
        me.last_read = clock::now();
        const bool was_usable = usable();
        const bool was_greeted = me.frames.greeted();
        const auto fed = me.frames.feed(std::string_view{buffer}.substr(0, n));
        deliver();
        if (!fed) {
            end(fed.error().why());
            break;
        }
        if (me.pinging && me.frames.pings_out() == 0) {
            me.watchdog.cancel();
        }
        if (usable() != was_usable || me.frames.greeted() != was_greeted) {
            changed();
        }
        if (me.frames.over() || me.frames.wants_write()) {
            poke(); // the writer ends what is over
        }
    }
}

asio::awaitable<void> connection::write() {
    auto& me = *impl_;
    std::string out;
    out.reserve(write_batch_bytes + 16 * 1024 + 9); // and one frame more
    while (!me.ended) {
        out.clear();
        me.frames.pending(out, write_batch_bytes);
        deliver(); // a reset takes a stream off the books as it is written
        if (!out.empty()) {
            const auto [error, written] = co_await me.stream.write(out);
            if (error) {
                end(fmt::format("the connection to {}:{} was lost: {}", me.peer.host, me.peer.port, error.message()));
            }
            continue;
        }
        if (me.frames.over()) {
            end(fmt::format("the connection to {}:{} was closed by agreement", me.peer.host, me.peer.port));
            break;
        }
        me.writer_sleeps = true;
        error_code woken;
        co_await me.wake.async_wait(asio::redirect_error(use_awaitable, woken));
    }
}

asio::awaitable<void> connection::watch() {
    auto& me = *impl_;
    while (!me.ended) {
        error_code woken;
        me.watchdog.expires_at(me.last_read + me.when.ping_every);
        co_await me.watchdog.async_wait(asio::redirect_error(use_awaitable, woken));
        if (me.ended || clock::now() - me.last_read < me.when.ping_every) {
            continue;
        }
        const auto asked = clock::now();
        me.frames.ping();
        poke();
        me.pinging = true;
        me.watchdog.expires_after(me.when.ping_timeout);
        co_await me.watchdog.async_wait(asio::redirect_error(use_awaitable, woken));
        me.pinging = false;
        if (!me.ended && me.last_read < asked) {
            end(fmt::format("{}:{} did not answer a PING within {} ms", me.peer.host, me.peer.port,
                            me.when.ping_timeout.count()));
        }
    }
}

} // namespace semel::http2
