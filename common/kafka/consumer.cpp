#include "consumer.hpp"

#include <kafka/authority.hpp>
#include <kafka/event_queue.hpp>
#include <kafka/fetch.hpp>
#include <kafka/handles.hpp>
#include <kafka/worker.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>

namespace semel::kafka {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// A rebalance must be answered within this time; Kafka gives the partitions to others then.
constexpr std::chrono::milliseconds max_poll_interval = 5min;
/// librdkafka counts polls of any queue. A user who does not call next() for a while (backpressure) stays a member as
/// long as the io thread runs; one whose io thread hangs does not.
constexpr auto liveness_period = 10s;
/// Commits of an open transaction are waited for: they end with the transaction's timeout at the latest.
constexpr auto committed_patience = 60s;
constexpr auto close_patience = 10s;

/// The answer to a heartbeat tells of a rebalance, and all members wait for the last that hears of it.
std::chrono::milliseconds heartbeat_of(const consumer_options& options) {
    return std::min<std::chrono::milliseconds>(options.session_timeout / 4, 500ms);
}

conf_ptr configure(const consumer_options& options) {
    auto conf =
        make_conf(options.bootstrap, {{"group.id", options.group},
                                      {"group.instance.id", options.instance},
                                      {"session.timeout.ms", std::to_string(options.session_timeout.count())},
                                      {"heartbeat.interval.ms", std::to_string(heartbeat_of(options).count())},
                                      {"max.poll.interval.ms", std::to_string(max_poll_interval.count())},
                                      {"partition.assignment.strategy", "range"},
                                      {"isolation.level", "read_committed"},
                                      {"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"auto.offset.reset", "error"},
                                      {"check.crcs", "true"},
                                      {"enable.partition.eof", options.tell_ends ? "true" : "false"},
                                      {"queued.max.messages.kbytes", std::to_string(options.prefetch_kib)},
                                      {"fetch.message.max.bytes", "1048576"},
                                      {"fetch.wait.max.ms", "100"},
                                      // Also the pause after a full local queue, which is the normal state of a reader
                                      // that is slower than Kafka: the default would idle for half a second each time.
                                      {"fetch.error.backoff.ms", "20"}});
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
    return conf;
}

std::vector<topic_partition> partitions_of(const rd_kafka_topic_partition_list_t* list) {
    std::vector<topic_partition> out;
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        out.push_back({list->elems[i].topic, list->elems[i].partition});
    }
    std::ranges::sort(out);
    return out;
}

} // namespace

struct consumer::impl {
    impl(asio::any_io_executor ex, consumer_options o)
        : executor(ex)
        , options(std::move(o))
        , name(fmt::format("group {}, instance {}", options.group, options.instance))
        , client(make_client(RD_KAFKA_CONSUMER, configure(options)))
        , records_of(client)
        , idle(rd_kafka_queue_new(client.get()))
        , liveness(ex)
        , calls(ex) {
        rd_kafka_poll_set_consumer(client.get());
        // Only now is this the queue where everything arrives.
        events = std::make_unique<event_queue>(ex, queue_ptr{rd_kafka_queue_get_consumer(client.get())});
        std::vector<topic_partition> topics;
        for (const auto& topic : options.topics) {
            topics.push_back({topic, RD_KAFKA_PARTITION_UA});
        }
        if (const auto code = rd_kafka_subscribe(client.get(), make_list(topics).get())) {
            throw std::runtime_error{fmt::format("{}: subscribing failed: {}", name, text_of(code))};
        }
        show_life();
    }

    void show_life() {
        event_ptr{rd_kafka_queue_poll(idle.get(), 0)};
        // The consumer library also looks at its own clock only when polled: a waiting next() looks again.
        events->wake();
        liveness.expires_after(liveness_period);
        liveness.async_wait([this, still = std::weak_ptr{alive}](boost::system::error_code stopped) {
            if (!stopped && !still.expired()) {
                show_life();
            }
        });
    }

    event take_rebalance(rd_kafka_event_t* e) {
        fetching = false;
        auto partitions = partitions_of(rd_kafka_event_topic_partition_list(e));
        ends.clear();
        if (rd_kafka_event_error(e) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            assigned_now = partitions;
            return assigned{std::move(partitions)};
        }
        return revoked{std::move(partitions), rd_kafka_assignment_lost(client.get()) != 0};
    }

    /// The next thing that the queue holds, without waiting.
    std::optional<event> poll() {
        if (held) {
            return take_rebalance(std::exchange(held, nullptr).get());
        }
        records out;
        // Counted by what was looked at: a flood of what is not believed must not keep the io thread either.
        more = true;
        for (std::size_t looked = 0; looked < options.batch; ++looked) {
            auto e = events->poll();
            if (!e) {
                more = false;
                break;
            }
            switch (rd_kafka_event_type(e.get())) {
            case RD_KAFKA_EVENT_FETCH:
                // What was fetched for a former assignment is dropped: its offsets are not committed.
                if (auto one = records_of.take(std::move(e)); one && fetching) {
                    if (trusted->believes(*one)) {
                        out.batch.push_back(std::move(*one));
                    } else {
                        pass(out.passed, *one);
                    }
                }
                break;
            case RD_KAFKA_EVENT_REBALANCE:
                if (out.batch.empty() && out.ended.empty() && out.passed.empty()) {
                    return take_rebalance(e.get());
                }
                held = std::move(e);
                return out;
            case RD_KAFKA_EVENT_ERROR:
                if (auto at = end_of(e.get())) {
                    if (fetching) {
                        ends[at->at] = at->next;
                        out.ended.push_back(std::move(at->at)); // after the last record before it
                    }
                    break;
                }
                if (auto why = complaint(client.get(), e.get(), name)) {
                    throw std::runtime_error{*why};
                }
                break;
            default:
                break;
            }
        }
        if (!out.batch.empty() || !out.ended.empty() || !out.passed.empty()) {
            return out;
        }
        // The last wake-up of a closing consumer carries no event.
        if (closed || (closing && rd_kafka_consumer_closed(client.get()) != 0)) {
            closed = true;
            return stopped{};
        }
        return std::nullopt;
    }

    static void pass(std::vector<start>& passed, const record& one) {
        const auto known = std::ranges::find(passed, one.at(), &start::at);
        if (known != passed.end()) {
            known->next = one.offset() + 1;
        } else {
            passed.push_back({.at = one.at(), .next = one.offset() + 1});
        }
    }

    asio::awaitable<event> next() {
        // A full queue would otherwise keep the io thread to itself.
        co_await asio::post(executor, asio::use_awaitable);
        // A frame that its io_context destroys may outlive this object.
        struct presence {
            std::shared_ptr<unsigned> count;
            explicit presence(std::shared_ptr<unsigned> c)
                : count(std::move(c)) {
                ++*count;
            }
            presence(const presence&) = delete;
            ~presence() { --*count; }
        } const waiting{waiters};
        for (;;) {
            if (auto happened = poll()) {
                co_return std::move(*happened);
            }
            if (more) {
                co_await asio::post(executor, asio::use_awaitable);
            } else {
                co_await events->wait();
            }
        }
    }

    void assign(const rd_kafka_topic_partition_list_t* list) {
        if (const auto code = rd_kafka_assign(client.get(), list)) {
            // After a fatal error or a close the group decides alone; next() tells what happened.
            if (code != RD_KAFKA_RESP_ERR__FATAL && code != RD_KAFKA_RESP_ERR__STATE &&
                code != RD_KAFKA_RESP_ERR__DESTROY) {
                throw std::runtime_error{fmt::format("{}: taking partitions failed: {}", name, text_of(code))};
            }
        }
    }

    asio::any_io_executor executor;
    consumer_options options;
    std::string name;
    std::shared_ptr<const authority> trusted = present_authority();
    client_ptr client;
    fetch records_of;
    queue_ptr idle; // empty for ever; polled to show life
    std::unique_ptr<event_queue> events;
    event_ptr held; // a rebalance that waits until the records before it are given away
    std::vector<topic_partition> assigned_now;
    std::map<topic_partition, offset> ends; // as found last
    asio::steady_timer liveness;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true); // a timer's handler may already be queued
    bool fetching = false;
    bool more = false; // poll() left something in the queue: nobody would wake us for it
    bool closing = false;
    bool closed = false;
    std::shared_ptr<unsigned> waiters = std::make_shared<unsigned>(0); // coroutines inside next()
    worker calls;                                                      // last: its thread uses what is above
};

consumer::consumer(asio::any_io_executor executor, consumer_options options)
    : impl_(std::make_unique<impl>(std::move(executor), std::move(options))) {}

consumer::~consumer() = default;

asio::awaitable<event> consumer::next() {
    return impl_->next();
}

void consumer::begin(std::span<const start> positions) {
    std::vector<topic_partition> named;
    for (const auto& position : positions) {
        named.push_back(position.at);
    }
    std::ranges::sort(named);
    if (named != impl_->assigned_now) {
        throw std::logic_error{impl_->name + ": begin() must name exactly the partitions that were assigned"};
    }
    impl_->assign(make_list(positions).get());
    impl_->fetching = true;
}

void consumer::release(const revoked&) {
    impl_->assigned_now.clear();
    impl_->assign(nullptr);
}

void consumer::pause(std::span<const topic_partition> partitions) {
    std::ignore = rd_kafka_pause_partitions(impl_->client.get(), make_list(partitions).get());
}

void consumer::resume(std::span<const topic_partition> partitions) {
    std::ignore = rd_kafka_resume_partitions(impl_->client.get(), make_list(partitions).get());
}

void consumer::seek(const topic_partition& at, offset next) {
    if (!std::ranges::binary_search(impl_->assigned_now, at)) {
        throw std::logic_error{fmt::format("{}: seek in {}, which is not assigned", impl_->name, name_of(at))};
    }
    const start to{at, next};
    // Timeout 0: asynchronous. The partition's version is raised before the call returns, and from then on librdkafka
    // drops what was fetched under the old one.
    const error_ptr error{rd_kafka_seek_partitions(impl_->client.get(), make_list(std::span{&to, 1}).get(), 0)};
    if (error) {
        throw std::runtime_error{fmt::format("{}: seek in {}: {}", impl_->name, name_of(at), text_of(error.get()))};
    }
}

asio::awaitable<base::result<std::vector<commit>>> consumer::committed(std::vector<topic_partition> partitions) {
    auto read = [client = impl_->client, name = impl_->name, group = impl_->options.group,
                 partitions = std::move(partitions)]() -> base::result<std::vector<commit>> {
        const auto list = make_list(partitions);
        const auto deadline = std::chrono::steady_clock::now() + committed_patience;
        for (;;) {
            auto code = rd_kafka_committed(client.get(), list.get(), 5'000);
            for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; ++i) {
                code = list->elems[i].err;
            }
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                break;
            }
            if (!passes_by_itself(code)) {
                return base::failed(base::fault::kind::broken,
                                    fmt::format("{}: reading the committed offsets failed: {}", name, text_of(code)));
            }
            if (std::chrono::steady_clock::now() > deadline) {
                return base::failed(base::fault::kind::unreachable,
                                    fmt::format("{}: the committed offsets could not be read for {} s: {}", name,
                                                committed_patience.count(), text_of(code)));
            }
        }
        std::vector<commit> out;
        for (int i = 0; i < list->cnt; ++i) {
            const auto& one = list->elems[i];
            if (one.offset < 0) {
                return base::failed(base::fault::kind::broken,
                                    fmt::format("group {} has no offset for {}/{}: it was never written or has "
                                                "expired. `semel up` writes first offsets when it creates a topic; "
                                                "check offsets.retention.minutes",
                                                group, one.topic, one.partition));
            }
            out.push_back({{one.topic, one.partition},
                           one.offset,
                           std::string{static_cast<const char*>(one.metadata), one.metadata_size}});
        }
        return out;
    };
    co_return co_await impl_->calls.run(std::move(read));
}

std::optional<offset> consumer::end_read(const topic_partition& at) const {
    const auto found = impl_->ends.find(at);
    return found == impl_->ends.end() ? std::nullopt : std::optional{found->second};
}

asio::awaitable<base::result<std::pair<offset, offset>>> consumer::watermarks(topic_partition at) {
    auto query = [client = impl_->client, at = std::move(at)]() -> base::result<std::pair<offset, offset>> {
        std::int64_t low = 0;
        std::int64_t high = 0;
        const auto code =
            rd_kafka_query_watermark_offsets(client.get(), at.topic.c_str(), at.partition, &low, &high, 10'000);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return base::failed(passes_by_itself(code) ? base::fault::kind::unreachable : base::fault::kind::broken,
                                fmt::format("the ends of {} could not be read: {}", name_of(at), text_of(code)));
        }
        return std::pair{low, high};
    };
    co_return co_await impl_->calls.run(std::move(query));
}

std::shared_ptr<const membership> consumer::current_membership() const {
    return std::make_shared<const membership>(
        group_metadata_ptr{rd_kafka_consumer_group_metadata(impl_->client.get())});
}

asio::awaitable<void> consumer::close() {
    auto& self = *impl_;
    if (!std::exchange(self.closing, true)) {
        const error_ptr error{rd_kafka_consumer_close_queue(self.client.get(), self.events->get())};
        self.closed = error != nullptr; // only after a fatal error: there is no group to leave
        self.events->wake();
    }
    const auto deadline = std::chrono::steady_clock::now() + close_patience;
    asio::steady_timer pause{self.executor};
    while (!self.closed && std::chrono::steady_clock::now() < deadline) {
        if (*self.waiters == 0) {
            if (auto happened = self.poll(); happened && std::holds_alternative<revoked>(*happened)) {
                release(std::get<revoked>(*happened));
            }
        }
        pause.expires_after(5ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
    self.closed = true; // librdkafka can hang here when a partition was lost (#4187): the session ends by its timeout
    self.liveness.cancel();
    self.events->wake();
}

} // namespace semel::kafka
