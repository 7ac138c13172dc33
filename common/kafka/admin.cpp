#include <kafka/admin.hpp>
#include <kafka/handles.hpp>
#include <kafka/tunnel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

namespace semel::kafka {
namespace {

using namespace std::chrono_literals;
using options_ptr = handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using new_topic_ptr = handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using delete_topic_ptr = handle<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using resource_ptr = handle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using alter_offsets_ptr = handle<rd_kafka_AlterConsumerGroupOffsets_t, rd_kafka_AlterConsumerGroupOffsets_destroy>;
using metadata_ptr = std::unique_ptr<const rd_kafka_metadata_t, deleter<rd_kafka_metadata_destroy>>;

constexpr auto request_timeout = 10s;
/// How long a step is repeated while the broker is starting or moving something.
constexpr auto patience = 60s;

std::unexpected<base::fault> refused(rd_kafka_resp_err_t code, std::string doing) {
    return base::failed(passes_by_itself(code) ? base::fault::kind::unreachable : base::fault::kind::broken,
                        fmt::format("Kafka: {}: {}", doing, text_of(code)));
}

/// Repeats until the answer is final or the time is up. step() answers a code.
template <class Step>
rd_kafka_resp_err_t insist(Step step, std::chrono::milliseconds how_long = patience) {
    const auto deadline = std::chrono::steady_clock::now() + how_long;
    for (;;) {
        const auto code = step();
        if (!passes_by_itself(code) || std::chrono::steady_clock::now() > deadline) {
            return code;
        }
        std::this_thread::sleep_for(100ms);
    }
}

rd_kafka_resp_err_t first_error(const rd_kafka_topic_result_t* const* results, std::size_t count,
                                rd_kafka_resp_err_t harmless, std::string& which) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_topic_result_error(results[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != harmless) {
            which = rd_kafka_topic_result_name(results[i]);
            return code;
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// What librdkafka says of its connections; a call that fails says only that it had none. Called by rd_kafka_poll().
void keep_words(rd_kafka_t*, int code, const char* reason, void* opaque) {
    auto& context = *static_cast<shared_context*>(opaque);
    const std::lock_guard lock{context.guard};
    // "all brokers are down" follows the reason that matters.
    if (context.words.empty() || code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        context.code = static_cast<rd_kafka_resp_err_t>(code);
        context.words = reason;
    }
}

conf_ptr conf_that_tells(const cluster& at) {
    auto conf = make_conf(at, {});
    rd_kafka_conf_set_error_cb(conf.get(), keep_words);
    return conf;
}

} // namespace

struct admin::impl {
    explicit impl(cluster where)
        : bootstrap(std::move(where))
        , client(make_client(RD_KAFKA_PRODUCER, conf_that_tells(bootstrap)))
        , answers(rd_kafka_queue_new(client.get())) {}

    /// Why there is no connection, and which key of semel.yaml to look at.
    std::unexpected<base::fault> not_connected(rd_kafka_resp_err_t code, std::chrono::milliseconds waited) {
        rd_kafka_poll(client.get(), 0);
        auto& context = context_of(bootstrap);
        const std::lock_guard lock{context.guard};
        if (context.failure) { // of a connection that we made ourselves
            return base::failed(*context.failure);
        }
        if (context.code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("Kafka does not let the user {} in ({}): compare kafka.user, "
                                            "kafka.password_file and kafka.sasl_mechanism with what Kafka knows: {}",
                                            bootstrap.user, bootstrap.mechanism_name(), context.words));
        }
        if (context.code == RD_KAFKA_RESP_ERR__SSL) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("Kafka and this machine do not agree on TLS: compare kafka.ca with who "
                                            "signed the brokers' certificates, the brokers' names with "
                                            "kafka.bootstrap, and kafka.security_protocol: {}",
                                            context.words));
        }
        return refused(code, fmt::format("not ready within {} ms{}{}{}", waited.count(),
                                         context.words.empty() ? "" : ": ", context.words,
                                         bootstrap.tls ? ""
                                                       : "; where Kafka expects TLS or a name, set "
                                                         "kafka.security_protocol"));
    }

    options_ptr options(rd_kafka_admin_op_t op) const {
        options_ptr made{rd_kafka_AdminOptions_new(client.get(), op)};
        std::array<char, 256> why{};
        rd_kafka_AdminOptions_set_request_timeout(made.get(), std::chrono::milliseconds{request_timeout}.count(),
                                                  why.data(), why.size());
        return made;
    }

    /// The answer of the request just sent; it always comes, at the latest as a timeout.
    event_ptr answer() const { return event_ptr{rd_kafka_queue_poll(answers.get(), -1)}; }

    /// Of one topic, or of the whole cluster when the name is empty.
    rd_kafka_resp_err_t metadata(const std::string& topic, metadata_ptr& out) const {
        topic_ptr handle;
        if (!topic.empty()) {
            handle.reset(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
        }
        const rd_kafka_metadata_t* raw = nullptr;
        const auto code = rd_kafka_metadata(client.get(), 0, handle.get(), &raw, 2'000);
        out.reset(raw);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR || topic.empty()) {
            return code;
        }
        return out->topic_cnt == 1 ? out->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }

    base::result<std::map<std::string, std::string>> describe(rd_kafka_ResourceType_t type, const std::string& name) {
        const resource_ptr resource{rd_kafka_ConfigResource_new(type, name.c_str())};
        std::map<std::string, std::string> out;
        const auto code = insist([&] {
            auto* one = resource.get();
            const auto with = options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
            rd_kafka_DescribeConfigs(client.get(), &one, 1, with.get(), answers.get());
            const auto event = answer();
            if (const auto failed = rd_kafka_event_error(event.get())) {
                return failed;
            }
            std::size_t count = 0;
            const auto* const* results =
                rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
            if (const auto failed = rd_kafka_ConfigResource_error(results[0])) {
                return failed;
            }
            const auto* const* entries = rd_kafka_ConfigResource_configs(results[0], &count);
            for (std::size_t i = 0; i < count; ++i) {
                const char* value = rd_kafka_ConfigEntry_value(entries[i]);
                out[rd_kafka_ConfigEntry_name(entries[i])] = value == nullptr ? "" : value;
            }
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        });
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, fmt::format("reading the configuration of {}", name));
        }
        return out;
    }

    /// What the group has stored; -1001 where it has nothing. A consumer asks: librdkafka 2.0.2's own admin request
    /// crashes when the group's coordinator is still loading, which is the first second of every broker.
    base::result<std::vector<commit>> stored(const std::string& group, const std::vector<topic_partition>& partitions) {
        const auto member = make_client(RD_KAFKA_CONSUMER, make_conf(bootstrap, {{"group.id", group}}));
        const auto list = make_list(partitions);
        const auto code = insist([&] {
            auto answered = rd_kafka_committed(member.get(), list.get(),
                                               static_cast<int>(std::chrono::milliseconds{request_timeout}.count()));
            for (int i = 0; answered == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; ++i) {
                answered = list->elems[i].err;
            }
            return answered;
        });
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, fmt::format("reading the offsets of group {}", group));
        }
        std::vector<commit> out;
        for (int i = 0; i < list->cnt; ++i) {
            const auto& entry = list->elems[i];
            out.push_back({{entry.topic, entry.partition},
                           entry.offset,
                           std::string{static_cast<const char*>(entry.metadata), entry.metadata_size}});
        }
        return out;
    }

    base::result<offset> end(const topic_partition& at) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        const auto code = insist([&] {
            return rd_kafka_query_watermark_offsets(client.get(), at.topic.c_str(), at.partition, &low, &high, 5'000);
        });
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, fmt::format("reading the end of {}", name_of(at)));
        }
        return high;
    }

    cluster bootstrap;
    client_ptr client;
    queue_ptr answers;
};

admin::admin(cluster at)
    : impl_(std::make_unique<impl>(std::move(at))) {}

admin::~admin() = default;

base::result<void> admin::wait_until_ready(std::chrono::milliseconds deadline) {
    const auto code = insist(
        [&] {
            metadata_ptr metadata;
            const auto answered = impl_->metadata({}, metadata);
            rd_kafka_poll(impl_->client.get(), 0);
            return answered == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->broker_cnt == 0
                       ? RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE
                       : answered;
        },
        deadline);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return impl_->not_connected(code, deadline);
    }
    return {};
}

base::result<void> admin::create_topics(std::span<const topic_spec> specs) {
    if (specs.empty()) {
        return {};
    }
    std::vector<new_topic_ptr> wanted;
    std::vector<rd_kafka_NewTopic_t*> pointers;
    for (const auto& spec : specs) {
        std::array<char, 512> why{};
        // -1: the broker's own default.replication.factor, which is its operator's business.
        wanted.emplace_back(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, -1, why.data(), why.size()));
        if (!wanted.back()) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("Kafka: topic {} cannot be asked for: {}", spec.name, why.data()));
        }
        rd_kafka_NewTopic_set_config(wanted.back().get(), "cleanup.policy", spec.compacted ? "compact" : "delete");
        for (const auto& [name, value] : spec.config) {
            rd_kafka_NewTopic_set_config(wanted.back().get(), name.c_str(), value.c_str());
        }
        pointers.push_back(wanted.back().get());
    }
    std::string which = "the topics";
    const auto code = insist([&] {
        const auto with = impl_->options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
        rd_kafka_CreateTopics(impl_->client.get(), pointers.data(), pointers.size(), with.get(), impl_->answers.get());
        const auto event = impl_->answer();
        if (const auto failed = rd_kafka_event_error(event.get())) {
            return failed;
        }
        std::size_t count = 0;
        const auto* const* results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
        return first_error(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, which);
    });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(code, fmt::format("creating {}", which));
    }
    for (const auto& spec : specs) {
        // Also waits until the new topic is known and led.
        const auto found = partitions(spec.name);
        if (!found) {
            return base::failed(found.error());
        }
        if (*found < spec.partitions) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("Kafka: topic {} has {} partitions, {} are wanted. Adding partitions would "
                                            "move keys: finish the running campaigns, then create it anew",
                                            spec.name, *found, spec.partitions));
        }
        const auto config = topic_config(spec.name);
        if (!config) {
            return base::failed(config.error());
        }
        const std::string policy = spec.compacted ? "compact" : "delete";
        if (const auto it = config->find("cleanup.policy"); it == config->end() || it->second != policy) {
            return base::failed(base::fault::kind::broken,
                                fmt::format("Kafka: topic {} exists with cleanup.policy={}, it must be {}. Set it with "
                                            "kafka-configs.sh",
                                            spec.name, it == config->end() ? "?" : it->second, policy));
        }
    }
    return {};
}

base::result<void> admin::delete_topics(std::span<const std::string> names) {
    std::vector<delete_topic_ptr> wanted;
    std::vector<rd_kafka_DeleteTopic_t*> pointers;
    for (const auto& name : names) {
        wanted.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
        pointers.push_back(wanted.back().get());
    }
    if (pointers.empty()) {
        return {};
    }
    std::string which = "the topics";
    const auto code = insist([&] {
        const auto with = impl_->options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
        rd_kafka_DeleteTopics(impl_->client.get(), pointers.data(), pointers.size(), with.get(), impl_->answers.get());
        const auto event = impl_->answer();
        if (const auto failed = rd_kafka_event_error(event.get())) {
            return failed;
        }
        std::size_t count = 0;
        const auto* const* results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
        return first_error(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, which);
    });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(code, fmt::format("deleting {}", which));
    }
    return {};
}

base::result<void> admin::write_first_offsets(const std::string& group, std::span<const topic_spec> specs) {
    std::vector<topic_partition> all;
    for (const auto& spec : specs) {
        for (std::int32_t p = 0; p < spec.partitions; ++p) {
            all.push_back({spec.name, p});
        }
    }
    if (all.empty()) {
        return {};
    }
    const auto known = impl_->stored(group, all);
    if (!known) {
        return base::failed(known.error());
    }
    std::vector<start> missing;
    for (const auto& one : *known) {
        if (one.next < 0) {
            missing.push_back({one.at, 0});
        }
    }
    if (missing.empty()) {
        return {};
    }
    const auto list = make_list(missing);
    const auto code = insist([&] {
        const alter_offsets_ptr change{rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get())};
        auto* one = change.get();
        const auto with = impl_->options(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
        rd_kafka_AlterConsumerGroupOffsets(impl_->client.get(), &one, 1, with.get(), impl_->answers.get());
        const auto event = impl_->answer();
        if (const auto failed = rd_kafka_event_error(event.get())) {
            return failed;
        }
        std::size_t count = 0;
        const auto* const* groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
        if (const auto* failed = rd_kafka_group_result_error(groups[0])) {
            return rd_kafka_error_code(failed);
        }
        const auto* result = rd_kafka_group_result_partitions(groups[0]);
        for (int i = 0; i < result->cnt; ++i) {
            if (result->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return result->elems[i].err;
            }
        }
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    });
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP) {
        return base::failed(base::fault::kind::broken,
                            fmt::format("Kafka: group {} has no offset for {} and others, but it has members. Stop "
                                        "them, then write the first offsets",
                                        group, name_of(missing.front().at)));
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(code, fmt::format("writing the first offsets of group {}", group));
    }
    return {};
}

base::result<std::map<std::string, std::string>> admin::topic_config(const std::string& topic) {
    return impl_->describe(RD_KAFKA_RESOURCE_TOPIC, topic);
}

base::result<std::map<std::string, std::string>> admin::broker_config() {
    metadata_ptr metadata;
    const auto code = insist([&] { return impl_->metadata({}, metadata); });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->broker_cnt == 0) {
        return refused(code, "looking for a broker");
    }
    return impl_->describe(RD_KAFKA_RESOURCE_BROKER, std::to_string(metadata->brokers[0].id));
}

base::result<void> admin::delete_records(std::span<const start> below) {
    if (below.empty()) {
        return {};
    }
    const auto list = make_list(below);
    const auto code = insist([&] {
        auto* request = rd_kafka_DeleteRecords_new(list.get());
        const auto with = impl_->options(RD_KAFKA_ADMIN_OP_DELETERECORDS);
        rd_kafka_DeleteRecords(impl_->client.get(), &request, 1, with.get(), impl_->answers.get());
        rd_kafka_DeleteRecords_destroy(request);
        const auto event = impl_->answer();
        if (const auto failed = rd_kafka_event_error(event.get())) {
            return failed;
        }
        const auto* done = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
        for (int p = 0; p < done->cnt; ++p) {
            if (done->elems[p].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return done->elems[p].err;
            }
        }
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    });
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? base::result<void>{} : refused(code, "deleting settled records");
}

base::result<std::int32_t> admin::partitions(const std::string& topic) {
    metadata_ptr metadata;
    // A topic that was created a moment ago is unknown for a moment.
    const auto patient_until = std::chrono::steady_clock::now() + 5s;
    const auto code = insist([&] {
        auto answered = impl_->metadata(topic, metadata);
        if (answered == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && std::chrono::steady_clock::now() < patient_until) {
            return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
        }
        for (int i = 0; answered == RD_KAFKA_RESP_ERR_NO_ERROR && i < metadata->topics[0].partition_cnt; ++i) {
            answered = metadata->topics[0].partitions[i].err;
        }
        return answered;
    });
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return base::failed(base::fault::kind::broken,
                            fmt::format("Kafka: topic {} does not exist. `semel up` creates the topics", topic));
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(code, fmt::format("looking up topic {}", topic));
    }
    return metadata->topics[0].partition_cnt;
}

base::result<std::vector<start>> admin::ends(const std::string& topic) {
    const auto count = partitions(topic);
    if (!count) {
        return base::failed(count.error());
    }
    std::vector<start> out;
    for (std::int32_t p = 0; p < *count; ++p) {
        topic_partition at{topic, p};
        const auto end = impl_->end(at);
        if (!end) {
            return base::failed(end.error());
        }
        out.push_back({.at = std::move(at), .next = *end});
    }
    return out;
}

base::result<std::vector<admin::lag>> admin::group_lag(const std::string& group, const std::string& topic) {
    const auto count = partitions(topic);
    if (!count) {
        return base::failed(count.error());
    }
    std::vector<topic_partition> all;
    for (std::int32_t p = 0; p < *count; ++p) {
        all.push_back({topic, p});
    }
    auto known = impl_->stored(group, all);
    if (!known) {
        return base::failed(known.error());
    }
    std::vector<lag> out;
    for (auto& one : *known) {
        const auto end = impl_->end(one.at);
        if (!end) {
            return base::failed(end.error());
        }
        out.push_back({one.at, one.next < 0 ? -1 : one.next, *end, std::move(one.metadata)});
    }
    return out;
}

} // namespace semel::kafka
