#include "producer.hpp"

#include <kafka/authority.hpp>
#include <kafka/event_queue.hpp>
#include <kafka/handles.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <array>
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

/// A client of librdkafka, and who waits for its reports. An error that is fatal to it (a broker that was killed finds
/// a sequence number missing between batches that were under way) ends it: it refuses everything from then on.
struct plain_client : std::enable_shared_from_this<plain_client> {
    /// A send() that waits for its delivery report.
    struct waiter {
        asio::steady_timer told;
        std::optional<rd_kafka_resp_err_t> answer;
        std::optional<base::timestamp> appended;
    };
    using waiter_ptr = std::shared_ptr<waiter>;

    plain_client(const asio::any_io_executor& ex, const producer_options& options)
        : executor(ex)
        , client(make_client(RD_KAFKA_PRODUCER, configure(options)))
        , events(ex, queue_ptr{rd_kafka_queue_get_main(client.get())}) {}

    bool has_ended() const { return rd_kafka_fatal_error(client.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR; }
    std::string why_ended() const {
        std::array<char, 512> why{};
        const auto code = rd_kafka_fatal_error(client.get(), why.data(), why.size());
        return fmt::format("{} ({})", why.data(), rd_kafka_err2name(code));
    }

    rd_kafka_topic_t* topic(const std::string& name) {
        auto& known = topics[name];
        if (!known) {
            known.reset(rd_kafka_topic_new(client.get(), name.c_str(), nullptr));
        }
        return known.get();
    }

    waiter_ptr wait_for(std::uintptr_t id) {
        auto me = std::make_shared<waiter>(asio::steady_timer{executor, asio::steady_timer::time_point::max()},
                                           std::nullopt, std::nullopt);
        waiting.emplace(id, me);
        if (!std::exchange(serving, true)) {
            asio::co_spawn(executor, serve(shared_from_this()), asio::detached);
        }
        return me;
    }

    static void answer(waiter& w, rd_kafka_resp_err_t with) {
        w.answer = with;
        w.told.cancel();
    }

    void drain() {
        while (auto e = events.poll()) {
            while (const auto* message = rd_kafka_event_message_next(e.get())) {
                const auto found = waiting.find(reinterpret_cast<std::uintptr_t>(message->_private));
                if (found != waiting.end()) {
                    found->second->appended = appended_at(message);
                    const auto gone = message->err != RD_KAFKA_RESP_ERR_NO_ERROR && has_ended();
                    answer(*found->second, gone ? RD_KAFKA_RESP_ERR__FATAL : message->err);
                    waiting.erase(found);
                }
            }
        }
        if (has_ended()) { // whether their reports still come is not to be relied upon
            for (auto& [id, w] : std::exchange(waiting, {})) {
                answer(*w, RD_KAFKA_RESP_ERR__FATAL);
            }
        }
    }

    /// Runs while somebody waits; at most one.
    static asio::awaitable<void> serve(std::shared_ptr<plain_client> self) {
        for (self->drain(); !self->waiting.empty(); self->drain()) {
            co_await self->events.wait();
        }
        self->serving = false;
    }

    asio::any_io_executor executor;
    client_ptr client;
    event_queue events;
    std::map<std::string, topic_ptr> topics;
    std::unordered_map<std::uintptr_t, waiter_ptr> waiting;
    bool serving = false;
};

} // namespace

struct producer::impl {
    impl(asio::any_io_executor ex, producer_options o)
        : executor(std::move(ex))
        , options(std::move(o))
        , current(std::make_shared<plain_client>(executor, options)) {}

    /// The one before ends with the last report that somebody waits for; that takes its threads some milliseconds.
    plain_client& living() {
        if (current->has_ended()) {
            telemetry::log().warn("producer.renewed", {{"why", current->why_ended()}});
            current->drain();
            current = std::make_shared<plain_client>(executor, options);
        }
        return *current;
    }

    /// Takes the record over, once there is room; then somebody has to wait for it.
    asio::awaitable<base::result<plain_client::waiter_ptr>> produce(const topic_partition& to, std::string_view key,
                                                                    std::string_view value) {
        const auto id = ++last_id;
        asio::steady_timer pause{executor};
        for (;;) {
            auto& by = living();
            auto* const mark =
                reinterpret_cast<void*>(id); // NOLINT(performance-no-int-to-ptr) comes back in the report
            const auto code =
                trusted->produce(by.client.get(), by.topic(to.topic), to, key, value.data(), value.size(), mark);
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                co_return by.wait_for(id);
            }
            if (by.has_ended()) {
                continue;
            }
            if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                co_return base::failed(base::fault::kind::broken,
                                       fmt::format("a record for {} was refused: {}", name_of(to), text_of(code)));
            }
            pause.expires_after(1ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
    }

    asio::awaitable<base::result<std::optional<base::timestamp>>> send(topic_partition to, std::string key,
                                                                       std::string value) {
        const auto produced = co_await produce(to, key, value);
        if (!produced) {
            co_return base::failed(produced.error());
        }
        auto& me = **produced;
        constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
        // serve() may have begun at once and found the report: that cancel() came before there was anything to cancel.
        if (!me.answer) {
            std::ignore = co_await me.told.async_wait(no_throw);
        }
        if (!me.answer) {
            co_return base::failed(
                base::fault::kind::stopping,
                fmt::format("sending to {} was cancelled: the record may still arrive", name_of(to)));
        }
        if (const auto code = *me.answer) {
            const auto passes = passes_by_itself(code) || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
                                code == RD_KAFKA_RESP_ERR__FATAL; // by a new client
            co_return base::failed(passes ? base::fault::kind::unreachable : base::fault::kind::broken,
                                   fmt::format("a record for {} was not acknowledged: {}", name_of(to), text_of(code)));
        }
        co_return me.appended;
    }

    asio::any_io_executor executor;
    producer_options options;
    std::shared_ptr<const authority> trusted = present_authority();
    std::shared_ptr<plain_client> current;
    std::uintptr_t last_id = 0;
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
