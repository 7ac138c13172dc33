#pragma once
// Writes to Kafka as anybody can who reaches the broker, past the one place that puts MACs on records.

#include <kafka/handles.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>

namespace semel::support {

/// `mac`: the header of a record that was genuine somewhere. `value` without a content: a tombstone.
inline void write_raw(const std::string& bootstrap, const kafka::topic_partition& to, std::string key,
                      std::optional<std::string> value, const std::optional<std::string>& mac = {}, int copies = 1) {
    const auto client = kafka::make_client(RD_KAFKA_PRODUCER, kafka::make_conf(bootstrap, {}));
    const kafka::topic_ptr topic{rd_kafka_topic_new(client.get(), to.topic.c_str(), nullptr)};
    std::array<rd_kafka_vu_t, 6> words{};
    words[0].vtype = RD_KAFKA_VTYPE_RKT;
    words[0].u.rkt = topic.get();
    words[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    words[1].u.i32 = to.partition;
    words[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    words[2].u.i = RD_KAFKA_MSG_F_COPY;
    words[3].vtype = RD_KAFKA_VTYPE_KEY;
    words[3].u.mem = {key.data(), key.size()};
    words[4].vtype = RD_KAFKA_VTYPE_VALUE;
    words[4].u.mem = {value ? value->data() : nullptr, value ? value->size() : 0};
    std::size_t count = 5;
    if (mac) {
        words[5].vtype = RD_KAFKA_VTYPE_HEADER;
        words[5].u.header = {"semel-mac", mac->data(), static_cast<ssize_t>(mac->size())};
        count = 6;
    }
    for (int i = 0; i < copies; ++i) {
        if (const kafka::error_ptr error{rd_kafka_produceva(client.get(), words.data(), count)}) {
            throw std::runtime_error{kafka::text_of(error.get())};
        }
    }
    if (rd_kafka_flush(client.get(), 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw std::runtime_error{"a raw record did not reach Kafka"};
    }
}

} // namespace semel::support
