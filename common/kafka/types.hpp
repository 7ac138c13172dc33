#pragma once
// Values that the Kafka client and its users share. librdkafka's own types never pass this border.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct rd_kafka_message_s;
struct rd_kafka_op_s;

namespace semel::kafka {

using offset = std::int64_t; // the position of a record, or of the next one to read; never negative here

struct topic_partition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};

/// A record as it was fetched, and believed (trust.hpp). Owns librdkafka's message: key() and value() live as long as
/// the record does. It may outlive the consumer that gave it.
class record {
  public:
    const topic_partition& at() const noexcept { return *at_; }
    kafka::offset offset() const noexcept;
    std::int64_t timestamp_ms() const noexcept;
    std::string_view key() const noexcept;
    /// Empty for a tombstone; tell the two apart with is_tombstone().
    std::string_view value() const noexcept;
    bool is_tombstone() const noexcept;
    /// The last one of this name.
    std::optional<std::string_view> header(const char* name) const noexcept;

  private:
    friend class fetch; // inside the module: makes records of fetch events
    struct destroy {
        void operator()(rd_kafka_op_s* event) const noexcept;
    };
    record() = default;

    // In this order: at_ also keeps the client alive, which must go after everything that it handed out.
    std::shared_ptr<const topic_partition> at_; // shared by the records of one partition
    std::unique_ptr<rd_kafka_op_s, destroy> event_;
    const rd_kafka_message_s* message_ = nullptr; // inside event_
};

/// What a group has stored for a partition: the next offset to read, and a string of the committer's own.
struct commit {
    topic_partition at;
    kafka::offset next = 0;
    std::string metadata; // UTF-8, at most 4,096 bytes (offset.metadata.max.bytes); more fails the transaction
};

/// Where to start reading an assigned partition.
struct start {
    topic_partition at;
    kafka::offset next = 0;
};

struct assigned {
    std::vector<topic_partition> partitions;
}; ///< answer with consumer::begin()
struct revoked {
    std::vector<topic_partition> partitions;
    bool lost = false;
}; ///< drain, commit (unless lost), then consumer::release()
struct records {
    std::vector<record> batch;
    std::vector<topic_partition> ended =
        {}; ///< read to their present end, with this batch (consumer_options::tell_ends)
    std::vector<start> passed =
        {}; ///< up to there, but for this batch, is nothing that is believed: nobody waits for it
}; ///< never all empty
struct stopped {}; ///< the consumer was closed
using event = std::variant<records, assigned, revoked, stopped>;

/// A group membership at one moment: taken once, at assignment, and bound to that assignment's partitions. Fresh
/// metadata would let Kafka accept offsets of partitions that are no longer ours (docs/exactly-once.md).
class membership; // opaque; hold it by std::shared_ptr<const membership>

enum class outcome {
    committed, ///< the broker said so
    aborted,   ///< certainly not visible: nothing of it will ever be read
    unknown,   ///< timed out or fenced: rebuild() and read back before emitting again
};
struct commit_result {
    kafka::outcome outcome = kafka::outcome::unknown;
    std::string why;     // empty when committed
    bool lapsed = false; // aborted, because the group has given the partitions away: the membership is of the past
};

} // namespace semel::kafka
