#include "producer.hpp"

#include <kafka/authority.hpp>
#include <kafka/event_queue.hpp>
#include <kafka/handles.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace semel::kafka {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

conf_ptr configure(const producer_options& options) {
    auto conf = make_conf(options.bootstrap, {{"enable.idempotence", "true"},
                                              {"message.timeout.ms", "60000"},
                                              {"socket.timeout.ms", "10000"},
                                              {"compression.codec", "lz4"},
                                              {"topic.metadata.propagation.max.ms", "5000"},
                                              {"linger.ms", "2"},
                                              {"queue.buffering.max.messages", "50000"},
                                              {"queue.buffering.max.kbytes", "32768"}});
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return conf;
}

/// What the answer of a broker said. librdkafka names the kind of the time by another number than it documents, but
/// not the kind that it sets itself.
std::optional<base::timestamp> appended_at(const rd_kafka_message_t* message) {
    rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const auto ms = rd_kafka_message_timestamp(message, &kind);
    if (kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || kind == RD_KAFKA_TIMESTAMP_CREATE_TIME || ms < 0) {
        return std::nullopt;
    }
    return base::timestamp{std::chrono::milliseconds{ms}};
}

} // namespace

struct producer::impl : std::enable_shared_from_this<producer::impl> {
    /// A send() that waits for its delivery report.
    struct waiter {
        asio::steady_timer told;
        std::optional<rd_kafka_resp_err_t> answer;
        std::optional<base::timestamp> appended;
    };

    impl(const asio::any_io_executor& ex, producer_options o)
        : executor(ex)
        , options(std::move(o))
        , client(make_client(RD_KAFKA_PRODUCER, configure(options)))
        , events(ex, queue_ptr{rd_kafka_queue_get_main(client.get())}) {}

    rd_kafka_topic_t* topic(const std::string& name) {
        auto& known = topics[name];
        if (!known) {
            known.reset(rd_kafka_topic_new(client.get(), name.c_str(), nullptr));
        }
        return known.get();
    }

    void drain() {
        while (auto e = events.poll()) {
            while (const auto* message = rd_kafka_event_message_next(e.get())) {
                const auto found = waiting.find(reinterpret_cast<std::uintptr_t>(message->_private));
                if (found != waiting.end()) {
                    found->second->answer = message->err;
                    found->second->appended = appended_at(message);
                    found->second->told.cancel();
                    waiting.erase(found);
                }
            }
        }
    }

    /// Runs while somebody waits; at most one.
    static asio::awaitable<void> serve(std::shared_ptr<impl> self) {
        for (self->drain(); !self->waiting.empty(); self->drain()) {
            co_await self->events.wait();
        }
        self->serving = false;
    }

    asio::awaitable<base::result<std::optional<base::timestamp>>> send(topic_partition to, std::string key,
                                                                       std::string value) {
        const auto id = ++last_id;
        asio::steady_timer pause{executor};
        for (;;) {
            auto* const mark =
                reinterpret_cast<void*>(id); // NOLINT(performance-no-int-to-ptr) comes back in the report
            const auto code =
                trusted->produce(client.get(), topic(to.topic), to, key, value.data(), value.size(), mark);
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                break;
            }
            if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                co_return base::failed(base::fault::kind::broken,
                                       fmt::format("a record for {} was refused: {}", name_of(to), text_of(code)));
            }
            pause.expires_after(1ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        const auto me = std::make_shared<waiter>(asio::steady_timer{executor, asio::steady_timer::time_point::max()},
                                                 std::nullopt, std::nullopt);
        waiting.emplace(id, me);
        if (!std::exchange(serving, true)) {
            asio::co_spawn(executor, serve(shared_from_this()), asio::detached);
        }
        constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
        // serve() may have begun at once and found the report: that cancel() came before there was anything to cancel.
        if (!me->answer) {
            std::ignore = co_await me->told.async_wait(no_throw);
        }
        if (!me->answer) {
            co_return base::failed(
                base::fault::kind::stopping,
                fmt::format("sending to {} was cancelled: the record may still arrive", name_of(to)));
        }
        if (const auto code = *me->answer) {
            co_return base::failed(passes_by_itself(code) || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
                                       ? base::fault::kind::unreachable
                                       : base::fault::kind::broken,
                                   fmt::format("a record for {} was not acknowledged: {}", name_of(to), text_of(code)));
        }
        co_return me->appended;
    }

    asio::any_io_executor executor;
    producer_options options;
    std::shared_ptr<const authority> trusted = present_authority();
    client_ptr client;
    event_queue events;
    std::map<std::string, topic_ptr> topics;
    std::unordered_map<std::uintptr_t, std::shared_ptr<waiter>> waiting;
    std::uintptr_t last_id = 0;
    bool serving = false;
};

producer::producer(asio::any_io_executor executor, producer_options options)
    : impl_(std::make_shared<impl>(std::move(executor), std::move(options))) {}

producer::~producer() = default;

asio::awaitable<base::result<void>> producer::send(topic_partition to, std::string key, std::string value) {
    const auto sent = co_await impl_->send(std::move(to), std::move(key), std::move(value));
    co_return sent ? base::result<void>{} : base::failed(sent.error());
}

asio::awaitable<base::result<std::optional<base::timestamp>>> producer::send_dated(topic_partition to, std::string key,
                                                                                   std::string value) {
    return impl_->send(std::move(to), std::move(key), std::move(value));
}

} // namespace semel::kafka
