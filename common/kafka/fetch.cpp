#include <kafka/fetch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace semel::kafka {
namespace {

std::string_view bytes(const void* data, std::size_t size) noexcept {
    return data == nullptr ? std::string_view{} : std::string_view{static_cast<const char*>(data), size};
}

using one_partition = handle<rd_kafka_topic_partition_t, rd_kafka_topic_partition_destroy>;

std::string place_of(rd_kafka_event_t* event) {
    const one_partition at{rd_kafka_event_topic_partition(event)};
    return at ? fmt::format("{}/{}", at->topic, at->partition) : std::string{"its topics"};
}

} // namespace

void record::destroy::operator()(rd_kafka_op_s* event) const noexcept {
    rd_kafka_event_destroy(event);
}

kafka::offset record::offset() const noexcept {
    return message_->offset;
}

std::int64_t record::timestamp_ms() const noexcept {
    return rd_kafka_message_timestamp(message_, nullptr);
}

std::string_view record::key() const noexcept {
    return bytes(message_->key, message_->key_len);
}

std::string_view record::value() const noexcept {
    return bytes(message_->payload, message_->len);
}

bool record::is_tombstone() const noexcept {
    return message_->payload == nullptr;
}

std::optional<std::string_view> record::header(const char* name) const noexcept {
    // Parses them when first asked for, inside the message, which is ours alone.
    rd_kafka_headers_t* all = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(message_, &all) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(all, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::nullopt;
    }
    return bytes(value, size);
}

std::shared_ptr<const topic_partition> fetch::known(const char* topic, std::int32_t partition) {
    const auto same = [&](const auto& at) { return at->partition == partition && at->topic == topic; };
    if (last_ && same(last_)) {
        return last_;
    }
    auto found = std::ranges::find_if(known_, same);
    if (found == known_.end()) {
        auto made = std::make_shared<const anchor>(topic_partition{topic, partition}, client_);
        found = known_.emplace(known_.end(), std::shared_ptr<const topic_partition>{made, &made->at});
    }
    last_ = *found;
    return last_;
}

std::optional<record> fetch::take(event_ptr event) {
    const auto* message = rd_kafka_event_message_next(event.get());
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::nullopt;
    }
    record made;
    made.at_ = known(rd_kafka_topic_name(message->rkt), message->partition);
    made.event_.reset(event.release());
    made.message_ = message;
    return made;
}

std::optional<start> end_of(rd_kafka_event_t* event) {
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return std::nullopt;
    }
    const one_partition at{rd_kafka_event_topic_partition(event)};
    return at ? std::optional{start{.at = {.topic = at->topic, .partition = at->partition}, .next = at->offset}}
              : std::nullopt;
}

std::optional<std::string> complaint(rd_kafka_t* client, rd_kafka_event_t* event, const std::string& reader_name) {
    const auto code = rd_kafka_event_error(event);
    if (rd_kafka_event_error_is_fatal(event) != 0) {
        std::array<char, 512> why{};
        const auto cause = rd_kafka_fatal_error(client, why.data(), why.size());
        if (cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
            return fmt::format("{} was fenced: another process runs under the same group.instance.id. Give each "
                               "process its own instance number",
                               reader_name);
        }
        return fmt::format("{}: the Kafka client cannot go on: {}: {}. Restart the process", reader_name,
                           text_of(cause), why.data());
    }
    switch (code) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return fmt::format("{}: the position in {} is not in Kafka any more ({}). Nothing was skipped. Records were "
                           "deleted before they were read: check the topic's retention",
                           reader_name, place_of(event), rd_kafka_event_error_string(event));
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return fmt::format("{}: {} does not exist ({}). `semel up` creates the topics", reader_name, place_of(event),
                           rd_kafka_event_error_string(event));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return fmt::format("{} may not read {}: {}. Grant it in Kafka", reader_name, place_of(event),
                           rd_kafka_event_error_string(event));
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
        return fmt::format("{}: a record batch of {} is damaged ({}). Restore the broker's log", reader_name,
                           place_of(event), rd_kafka_event_error_string(event));
    default:
        return std::nullopt;
    }
}

} // namespace semel::kafka
