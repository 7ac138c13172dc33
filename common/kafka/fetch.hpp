#pragma once
// Internal: fetch events as records, and a client's complaints in words.

#include <kafka/handles.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::kafka {

/// Makes records of one client's events. Remembers the partitions it has met, so that a record costs no string.
class fetch {
  public:
    explicit fetch(client_ptr client)
        : client_(std::move(client)) {}

    /// Nothing when the event holds no message. Not believed yet: authority::believes().
    std::optional<record> take(event_ptr);

  private:
    /// A partition's name together with the client that it came from.
    struct anchor {
        topic_partition at;
        client_ptr client;
    };
    std::shared_ptr<const topic_partition> known(const char* topic, std::int32_t partition);

    client_ptr client_;
    std::vector<std::shared_ptr<const topic_partition>> known_;
    std::shared_ptr<const topic_partition> last_;
};

/// Of an error event that says no more than that everything has been read: of which partition, and up to where.
std::optional<start> end_of(rd_kafka_event_t*);

/// What an error event means for whoever reads: nothing while librdkafka deals with it itself, otherwise what
/// happened, where, and what to do.
std::optional<std::string> complaint(rd_kafka_t*, rd_kafka_event_t*, const std::string& reader_name);

} // namespace semel::kafka
