#include "connection.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <hiredis/async.h>

#include <optional>

namespace semel::redis {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

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

/// One command that is out. hiredis holds it until the reply or the end of the connection, even after its coroutine has
/// given up waiting: replies are matched by their order alone.
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

struct connection::hooks {
    static connection& of(void* data) { return *static_cast<connection*>(data); }
    static void add_read(void* data) { of(data).want_read(); }
    static void del_read(void*) {} // only ever before cleanup, which cancels the wait
    static void add_write(void* data) { of(data).want_write(); }
    static void del_write(void* data) { of(data).write_wanted_ = false; }
    static void cleanup(void* data) { of(data).let_go(); }

    static void on_connect(const redisAsyncContext* context, int status) {
        auto& self = of(context->ev.data);
        self.connected_ = status == REDIS_OK;
        self.moved_.notify();
    }
    static void on_reply(redisAsyncContext* context, void* redis_reply, void* op) {
        of(context->ev.data).answered(static_cast<operation*>(op), redis_reply);
    }
};

connection::connection(asio::any_io_executor ex, std::chrono::milliseconds reply_timeout)
    : ex_(std::move(ex))
    , reply_timeout_(reply_timeout)
    , descriptor_(ex_)
    , watchdog_(ex_)
    , moved_(ex_) {}

connection::~connection() {
    // Waits hold the connection, so none is armed and nobody waits for a reply, unless the io_context itself is going.
    close(base::fault::kind::stopping, "the client is being destroyed");
}

asio::awaitable<base::result<void>> connection::open(std::string ip, std::uint16_t port) {
    const auto self = shared_from_this();
    auto* context = ::redisAsyncConnect(ip.c_str(), port);
    if (context == nullptr || context->err != 0) {
        loss_ = context == nullptr ? "out of memory" : context->errstr;
        if (context != nullptr) {
            ::redisAsyncFree(context);
        }
        co_return base::failed(lost());
    }
    context_ = context;
    descriptor_.assign(context->c.fd);
    context->ev.data = this;
    context->ev.addRead = hooks::add_read;
    context->ev.delRead = hooks::del_read;
    context->ev.addWrite = hooks::add_write;
    context->ev.delWrite = hooks::del_write;
    context->ev.cleanup = hooks::cleanup;
    ::redisAsyncSetConnectCallback(context, hooks::on_connect);
    const auto deadline = clock::now() + reply_timeout_;
    while (context_ != nullptr && !connected_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
        if (left.count() <= 0 || !co_await moved_.wait_for(left)) {
            close(base::fault::kind::unreachable, fmt::format("no connection within {} ms", reply_timeout_.count()));
        }
    }
    if (context_ == nullptr) {
        co_return base::failed(lost());
    }
    co_return base::result<void>{};
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
    op->sent = clock::now();
    const int sent = ::redisAsyncCommandArgv(context_, hooks::on_reply, op, static_cast<int>(argv_.size()),
                                             argv_.data(), lengths_.data());
    outstanding_.push_back(op);
    if (sent != REDIS_OK) {
        // hiredis took nothing: it is disconnecting or out of memory. This operation is nobody's but ours.
        outstanding_.pop_back();
        op->answered = true;
        ready_.emplace_back(op);
        asio::post(ex_, [self = shared_from_this()] { self->hand_over(); });
        return;
    }
    watch();
}

void connection::answered(operation* op, const void* redis_reply) {
    outstanding_.pop_front();
    op->answered = true;
    switch (op->at) {
    case operation::stage::waiting:
        if (redis_reply != nullptr) {
            op->answer = copy(*static_cast<const redisReply*>(redis_reply)); // hiredis frees it on return
        }
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

void connection::want_read() {
    if (read_armed_ || !descriptor_.is_open()) {
        return;
    }
    read_armed_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](boost::system::error_code error) {
                               self->read_armed_ = false;
                               if (error || self->context_ == nullptr) {
                                   return;
                               }
                               ::redisAsyncHandleRead(self->context_);
                               self->hand_over();
                           });
}

void connection::want_write() {
    write_wanted_ = true;
    if (write_armed_ || !descriptor_.is_open()) {
        return;
    }
    write_armed_ = true;
    if (connected_) {
        // At the end of this turn of the loop: everything that its coroutines send goes out in one write.
        asio::post(ex_, [self = shared_from_this()] { self->flush(); });
        return;
    }
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](boost::system::error_code error) {
                               if (!error) {
                                   self->flush();
                               } else {
                                   self->write_armed_ = false;
                               }
                           });
}

void connection::flush() {
    if (context_ == nullptr) {
        write_armed_ = false;
        return;
    }
    ::redisAsyncHandleWrite(context_);
    write_armed_ = false;
    if (context_ != nullptr && write_wanted_) { // the socket is full
        write_armed_ = true;
        descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                               [self = shared_from_this()](boost::system::error_code) { self->flush(); });
    }
    hand_over();
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
    if (context_ == nullptr) {
        return;
    }
    loss_kind_ = k;
    loss_ = std::move(why);
    ::redisAsyncFree(context_); // answers everything that is out, then cleanup
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

void connection::let_go() noexcept {
    if (loss_.empty()) {
        loss_ = context_->errstr[0] != '\0' ? context_->errstr : "the server closed the connection";
    }
    context_ = nullptr;
    connected_ = false;
    descriptor_.release(); // cancels the waits
    watchdog_.cancel();
    moved_.notify();
}

asio::awaitable<bool> connection::closed_within(std::chrono::milliseconds time) {
    const auto self = shared_from_this();
    const auto until = clock::now() + time;
    while (context_ != nullptr) {
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
