#include "connection.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <exception>
#include <new>
#include <optional>

namespace semel::redis {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} * 1024; // of one read

reply copy(const redisReply& from) {
    reply to;
    switch (from.type) {
    case REDIS_REPLY_INTEGER:
        to.type = reply::kind::integer;
        to.integer = from.integer;
        break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        to.type = from.type == REDIS_REPLY_STRING   ? reply::kind::text
                  : from.type == REDIS_REPLY_STATUS ? reply::kind::status
                                                    : reply::kind::error;
        to.text.assign(from.str, from.len);
        break;
    case REDIS_REPLY_ARRAY:
        to.type = reply::kind::array;
        to.array.reserve(from.elements);
        for (std::size_t i = 0; i < from.elements; ++i) {
            to.array.push_back(copy(*from.element[i]));
        }
        break;
    default:
        break; // REDIS_REPLY_NIL
    }
    return to;
}

} // namespace

/// One command that is out. It keeps its place until the reply or the end of the connection, even after its coroutine
/// has given up waiting: replies are matched by their order alone.
struct connection::operation {
    enum class stage : unsigned char { waiting, cancelling, abandoned };

    virtual ~operation() = default;
    virtual void complete(base::result<reply> result) = 0;

    clock::time_point sent;
    stage at = stage::waiting;
    bool answered = false;
    std::optional<reply> answer; // none after `answered`: the connection was lost
};

template <class Handler>
struct connection::operation_of final : connection::operation {
    explicit operation_of(Handler h)
        : handler(std::move(h)) {}

    void complete(base::result<reply> result) override {
        if (auto slot = asio::get_associated_cancellation_slot(*handler); slot.is_connected()) {
            slot.clear();
        }
        auto h = std::move(*handler);
        handler.reset();
        const auto ex = asio::get_associated_executor(h);
        asio::dispatch(ex,
                       [h = std::move(h), result = std::move(result)]() mutable { std::move(h)(std::move(result)); });
    }

    std::optional<Handler> handler;
};

void connection::free_reader::operator()(redisReader* parser) const noexcept {
    ::redisReaderFree(parser);
}

connection::connection(asio::any_io_executor ex, std::chrono::milliseconds reply_timeout)
    : ex_(std::move(ex))
    , reply_timeout_(reply_timeout)
    , wire_(ex_)
    , parser_(::redisReaderCreate())
    , watchdog_(ex_)
    , moved_(ex_)
    , more_(ex_) {}

connection::~connection() {
    // Whoever serves it or waits for it holds the connection: nobody does, unless the io_context itself is going.
    close(base::fault::kind::stopping, "the client is being destroyed");
}

asio::awaitable<base::result<void>> connection::open(std::string ip, std::uint16_t port,
                                                     std::shared_ptr<asio::ssl::context> tls, std::string server_name) {
    const auto self = shared_from_this();
    wire_.expires_after(reply_timeout_);
    auto done = co_await wire_.connect(std::move(ip), port);
    if (done && tls) {
        done = co_await wire_.secure(std::move(tls), std::move(server_name));
    }
    if (state_ == state::closed) { // meanwhile, by us
        co_return base::failed(lost());
    }
    if (!done) {
        close(done.error().what(), done.error().why());
        co_return base::failed(lost());
    }
    wire_.never_expires(); // from here on the watchdog looks after each reply
    state_ = state::open;
    const auto rethrow = [](std::exception_ptr failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    };
    asio::co_spawn(ex_, write_all(self), rethrow);
    asio::co_spawn(ex_, read_all(self), rethrow);
    co_return base::result<void>{};
}

asio::awaitable<void> connection::write_all(std::shared_ptr<connection> self) {
    while (self->is_open()) {
        if (self->unsent_.empty()) {
            self->writer_waits_ = true;
            co_await self->more_.wait();
            self->writer_waits_ = false;
            continue;
        }
        self->going_out_.clear();
        std::swap(self->going_out_, self->unsent_);
        if (const auto [error, sent] = co_await self->wire_.write(self->going_out_); error) {
            self->lose(error);
        }
    }
}

asio::awaitable<void> connection::read_all(std::shared_ptr<connection> self) {
    std::vector<char> buffer(chunk_bytes);
    while (self->is_open()) {
        const auto [error, n] = co_await self->wire_.read_some(buffer);
        if (error) {
            self->lose(error);
        } else if (self->is_open()) {
            self->parsed({buffer.data(), n});
            self->hand_over();
        }
    }
}

void connection::parsed(std::string_view bytes) {
    auto* const parser = parser_.get();
    ::redisReaderFeed(parser, bytes.data(), bytes.size());
    for (;;) {
        void* found = nullptr;
        if (::redisReaderGetReply(parser, &found) != REDIS_OK) {
            close(base::fault::kind::unreachable,
                  fmt::format("what answers does not speak Redis' protocol: {}", parser->errstr));
            return;
        }
        if (found == nullptr) {
            return;
        }
        const std::unique_ptr<redisReply, decltype(&::freeReplyObject)> one{static_cast<redisReply*>(found),
                                                                            &::freeReplyObject};
        if (outstanding_.empty()) {
            close(base::fault::kind::unreachable,
                  one->type == REDIS_REPLY_ERROR ? std::string{one->str, one->len} : "a reply to no command came");
            return;
        }
        auto* const op = outstanding_.front();
        outstanding_.pop_front();
        answered(op, copy(*one));
    }
}

void connection::lose(const boost::system::error_code& error) {
    close(base::fault::kind::unreachable, error == asio::error::eof || error == asio::ssl::error::stream_truncated
                                              ? "the server closed the connection"
                                              : error.message());
}

asio::awaitable<base::result<reply>> connection::exchange(std::span<const std::string> args) {
    const auto self = shared_from_this();
    if (!is_open()) {
        co_return base::failed(lost());
    }
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(base::result<reply>)>(
        [this](auto handler, std::span<const std::string> words) {
            using handler_type = std::decay_t<decltype(handler)>;
            auto* op = new operation_of<handler_type>{std::move(handler)};
            auto slot = asio::get_associated_cancellation_slot(*op->handler);
            if (slot.is_connected()) {
                slot.assign([this, op](asio::cancellation_type) { cancelled(op); });
            }
            send(op, words);
        },
        asio::use_awaitable, args);
}

void connection::send(operation* op, std::span<const std::string> args) {
    argv_.clear();
    lengths_.clear();
    for (const auto& a : args) {
        argv_.push_back(a.data());
        lengths_.push_back(a.size());
    }
    char* text = nullptr;
    const auto size = ::redisFormatCommandArgv(&text, static_cast<int>(argv_.size()), argv_.data(), lengths_.data());
    if (size < 0) {
        throw std::bad_alloc{};
    }
    const std::unique_ptr<char, decltype(&::redisFreeCommand)> formatted{text, &::redisFreeCommand};
    unsent_.append(text, static_cast<std::size_t>(size));
    op->sent = clock::now();
    outstanding_.push_back(op);
    if (writer_waits_) {
        more_.notify();
    }
    watch();
}

/// Nothing for an answer: the connection was lost.
void connection::answered(operation* op, std::optional<reply> what) {
    op->answered = true;
    switch (op->at) {
    case operation::stage::waiting:
        op->answer = std::move(what);
        ready_.emplace_back(op);
        break;
    case operation::stage::cancelling:
        break; // its posted completion deletes it
    case operation::stage::abandoned:
        delete op;
        break;
    }
}

void connection::hand_over() {
    auto ready = std::exchange(ready_, {});
    answer(ready);
    if (ready_.empty()) {
        ready.clear();
        ready_ = std::move(ready);
    }
}

void connection::answer(std::vector<std::unique_ptr<operation>>& ready) {
    for (auto& op : ready) {
        const auto last = std::move(op);
        if (last->answer) {
            last->complete(std::move(*last->answer));
        } else {
            last->complete(base::failed(lost()));
        }
    }
}

void connection::cancelled(operation* op) {
    if (op->at != operation::stage::waiting || op->answered) {
        return; // its completion is on the way
    }
    op->at = operation::stage::cancelling;
    asio::post(ex_, [self = shared_from_this(), op] {
        op->complete(base::failed(base::fault::kind::stopping,
                                  "the wait for Redis was cancelled; whether the command was executed is unknown"));
        if (op->answered) {
            delete op;
        } else {
            op->at = operation::stage::abandoned;
        }
    });
}

void connection::watch() {
    if (watching_ || outstanding_.empty()) {
        return;
    }
    watching_ = true;
    watchdog_.expires_at(outstanding_.front()->sent + reply_timeout_);
    watchdog_.async_wait([self = shared_from_this()](boost::system::error_code) {
        self->watching_ = false;
        if (self->outstanding_.empty()) {
            return;
        }
        if (clock::now() >= self->outstanding_.front()->sent + self->reply_timeout_) {
            self->close(base::fault::kind::unreachable,
                        fmt::format("no reply within {} ms", self->reply_timeout_.count()));
        } else {
            self->watch();
        }
    });
}

void connection::close(base::fault::kind k, std::string why) {
    if (state_ == state::closed) {
        return;
    }
    state_ = state::closed;
    loss_kind_ = k;
    loss_ = std::move(why);
    wire_.close();
    watchdog_.cancel();
    moved_.notify();
    more_.notify();
    for (auto* op : std::exchange(outstanding_, {})) {
        answered(op, std::nullopt);
    }
    if (!ready_.empty()) {
        if (auto self = weak_from_this().lock()) {
            // The operations go along: an io_context that never comes to it destroys them, and with them the coroutines
            // that wait and hold this connection.
            asio::post(ex_, [self, ready = std::exchange(ready_, {})]() mutable { self->answer(ready); });
        } else {
            hand_over();
        }
    }
}

asio::awaitable<bool> connection::closed_within(std::chrono::milliseconds time) {
    const auto self = shared_from_this();
    const auto until = clock::now() + time;
    while (state_ != state::closed) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
        if (left.count() <= 0) {
            co_return false;
        }
        std::ignore = co_await moved_.wait_for(left);
    }
    co_return true;
}

base::fault connection::lost() const {
    return {loss_kind_, loss_.empty() ? "not connected" : loss_};
}

} // namespace semel::redis
