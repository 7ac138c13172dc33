#include <kafka/authority.hpp>
#include <kafka/consumer.hpp>
#include <kafka/event_queue.hpp>
#include <kafka/fetch.hpp>
#include <kafka/handles.hpp>
#include <kafka/worker.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace semel::kafka {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto metadata_patience = 30s;
constexpr auto call_timeout_ms = 5'000;

conf_ptr configure(const reader::options& options) {
    auto conf =
        make_conf(options.bootstrap,
                  {// assign() wants a group id; without a subscription no group is joined or written.
                   {"group.id", "semel-reader"},
                   {"isolation.level", "read_committed"},
                   {"enable.auto.commit", "false"},
                   {"enable.auto.offset.store", "false"},
                   {"auto.offset.reset", "error"},
                   {"check.crcs", "true"},
                   {"enable.partition.eof", "true"},
                   {"queued.max.messages.kbytes", std::to_string(options.prefetch_kib)},
                   {"fetch.message.max.bytes", "1048576"},
                   // Of all partitions together: records are given away once the whole answer is there.
                   {"fetch.max.bytes", std::to_string(std::max<std::size_t>(options.prefetch_kib * 512, 1'048'576))},
                   {"fetch.wait.max.ms", "100"},
                   // Also the pause after a full local queue (consumer.cpp).
                   {"fetch.error.backoff.ms", "20"}});
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_ERROR);
    return conf;
}

struct bounds {
    topic_partition at;
    offset low = 0;
    offset high = 0;
};

base::fault::kind kind_of(rd_kafka_resp_err_t code) {
    return passes_by_itself(code) ? base::fault::kind::unreachable : base::fault::kind::broken;
}

/// Blocking. Where the partitions begin and end (the end of what is committed).
base::result<std::vector<bounds>> bounds_of(rd_kafka_t* client, const std::vector<topic_partition>& partitions) {
    std::vector<bounds> out;
    const auto deadline = std::chrono::steady_clock::now() + metadata_patience;
    for (const auto& at : partitions) {
        bounds one{at};
        for (;;) {
            const auto code = rd_kafka_query_watermark_offsets(client, at.topic.c_str(), at.partition, &one.low,
                                                               &one.high, call_timeout_ms);
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                break;
            }
            if (!passes_by_itself(code) || std::chrono::steady_clock::now() > deadline) {
                return base::failed(kind_of(code),
                                    fmt::format("the ends of {} could not be read: {}", name_of(at), text_of(code)));
            }
        }
        out.push_back(std::move(one));
    }
    return out;
}

/// Blocking.
base::result<std::vector<topic_partition>> partitions_of(rd_kafka_t* client, const std::string& topic) {
    const topic_ptr handle{rd_kafka_topic_new(client, topic.c_str(), nullptr)};
    const auto deadline = std::chrono::steady_clock::now() + metadata_patience;
    for (;;) {
        const rd_kafka_metadata_t* raw = nullptr;
        auto code = rd_kafka_metadata(client, 0, handle.get(), &raw, call_timeout_ms);
        using metadata_ptr = std::unique_ptr<const rd_kafka_metadata_t, deleter<rd_kafka_metadata_destroy>>;
        const metadata_ptr metadata{raw};
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        }
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            std::vector<topic_partition> out;
            for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
                out.push_back({topic, metadata->topics[0].partitions[i].id});
            }
            std::ranges::sort(out);
            return out;
        }
        if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("topic {} does not exist. `semel up` creates the topics", topic));
        }
        if (!passes_by_itself(code) || std::chrono::steady_clock::now() > deadline) {
            return base::failed(kind_of(code),
                                fmt::format("topic {} could not be looked up: {}", topic, text_of(code)));
        }
    }
}

} // namespace

struct reader::impl {
    struct progress {
        topic_partition at;
        offset position = 0;
        offset end = 0;
    };

    impl(asio::any_io_executor ex, options o)
        : executor(ex)
        , opts(std::move(o))
        , client(make_client(RD_KAFKA_CONSUMER, configure(opts)))
        , records_of(client)
        , calls(ex) {
        rd_kafka_poll_set_consumer(client.get());
        events = std::make_unique<event_queue>(ex, queue_ptr{rd_kafka_queue_get_consumer(client.get())});
    }

    void assign(std::span<const start> positions) {
        if (const auto code = rd_kafka_assign(client.get(), make_list(positions).get())) {
            throw std::runtime_error{fmt::format("a reader could not take its partitions: {}", text_of(code))};
        }
        partitions.clear();
        for (const auto& position : positions) {
            partitions.push_back({position.at, position.next, position.next});
        }
        last = 0;
        end_told = true; // nobody asked for an end yet
    }

    progress* find(std::string_view topic, std::int32_t partition) {
        const auto is = [&](const progress& p) { return p.at.partition == partition && p.at.topic == topic; };
        if (last < partitions.size() && is(partitions[last])) {
            return &partitions[last];
        }
        const auto found = std::ranges::find_if(partitions, is);
        last = static_cast<std::size_t>(found - partitions.begin());
        return found == partitions.end() ? nullptr : &*found;
    }

    void note_end(std::span<const bounds> known) {
        for (const auto& one : known) {
            if (auto* p = find(one.at.topic, one.at.partition)) {
                p->end = one.high;
            }
        }
        end_told = false;
    }

    bool at_end() const {
        return std::ranges::all_of(partitions, [](const progress& p) { return p.position >= p.end; });
    }

    asio::awaitable<base::result<void>> from_beginning(std::vector<topic_partition> all) {
        auto look = [c = client, all = std::move(all)] { return bounds_of(c.get(), all); };
        auto known = co_await calls.run(std::move(look));
        if (!known) {
            co_return base::failed(known.error());
        }
        std::vector<start> positions;
        for (const auto& one : *known) {
            positions.push_back({one.at, one.low});
        }
        assign(positions);
        note_end(*known);
        co_return base::result<void>{};
    }

    /// Without waiting.
    std::vector<record> poll() {
        std::vector<record> batch;
        more = true;
        // Counted by what was looked at: a flood of what is not believed must not keep the io thread either.
        for (std::size_t looked = 0; looked < opts.batch; ++looked) {
            auto e = events->poll();
            if (!e) {
                more = false;
                break;
            }
            if (rd_kafka_event_type(e.get()) == RD_KAFKA_EVENT_FETCH) {
                auto one = records_of.take(std::move(e));
                auto* p = one ? find(one->at().topic, one->at().partition) : nullptr;
                if (p != nullptr) {
                    p->position = one->offset() + 1;
                    if (trusted->believes(*one)) {
                        batch.push_back(std::move(*one));
                    }
                }
            } else if (rd_kafka_event_error(e.get()) == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                // Says how far the partition was read, control records included.
                using one_partition = handle<rd_kafka_topic_partition_t, rd_kafka_topic_partition_destroy>;
                const one_partition at{rd_kafka_event_topic_partition(e.get())};
                if (auto* p = at ? find(at->topic, at->partition) : nullptr) {
                    p->position = std::max(p->position, at->offset);
                }
            } else if (auto why = complaint(client.get(), e.get(), "a reader")) {
                throw std::runtime_error{*why};
            }
        }
        return batch;
    }

    asio::awaitable<std::vector<record>> next() {
        co_await asio::post(executor, asio::use_awaitable); // a full queue must not keep the io thread to itself
        for (;;) {
            if (auto batch = poll(); !batch.empty()) {
                co_return batch;
            }
            if (!end_told && at_end()) {
                end_told = true;
                co_return std::vector<record>{};
            }
            if (more) {
                co_await asio::post(executor, asio::use_awaitable);
            } else {
                co_await events->wait();
            }
        }
    }

    asio::any_io_executor executor;
    options opts;
    std::shared_ptr<const authority> trusted = present_authority();
    client_ptr client;
    fetch records_of;
    std::unique_ptr<event_queue> events;
    std::vector<progress> partitions;
    std::size_t last = 0; // where find() found something
    bool end_told = true;
    bool more = false; // poll() left something in the queue: nobody would wake us for it
    worker calls;      // last: its thread uses what is above
};

reader::reader(asio::any_io_executor executor, options options)
    : impl_(std::make_unique<impl>(std::move(executor), std::move(options))) {}

reader::~reader() = default;

asio::awaitable<base::result<void>> reader::from_beginning(std::string topic) {
    auto look = [client = impl_->client, topic = std::move(topic)] { return partitions_of(client.get(), topic); };
    auto all = co_await impl_->calls.run(std::move(look));
    if (!all) {
        co_return base::failed(all.error());
    }
    co_return co_await impl_->from_beginning(std::move(*all));
}

asio::awaitable<base::result<void>> reader::from_beginning(topic_partition at) {
    std::vector<topic_partition> one{std::move(at)};
    co_return co_await impl_->from_beginning(std::move(one));
}

asio::awaitable<base::result<void>> reader::from_beginning_of(std::vector<topic_partition> some) {
    co_return co_await impl_->from_beginning(std::move(some));
}

void reader::assign(std::span<const start> positions) {
    impl_->assign(positions);
}

asio::awaitable<base::result<void>> reader::refresh_end() {
    std::vector<topic_partition> all;
    for (const auto& p : impl_->partitions) {
        all.push_back(p.at);
    }
    auto look = [client = impl_->client, all = std::move(all)] { return bounds_of(client.get(), all); };
    auto known = co_await impl_->calls.run(std::move(look));
    if (!known) {
        co_return base::failed(known.error());
    }
    impl_->note_end(*known);
    co_return base::result<void>{};
}

bool reader::at_end() const {
    return impl_->at_end();
}

asio::awaitable<std::vector<record>> reader::next() {
    return impl_->next();
}

} // namespace semel::kafka
