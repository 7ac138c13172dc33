#pragma once
// Internal: librdkafka's handles as owning pointers, and its settings. Not for headers that other modules include.

#include <kafka/cluster.hpp>
#include <kafka/types.hpp>

#include <librdkafka/rdkafka.h>

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace semel::kafka {

template <auto Destroy>
struct deleter {
    template <class T>
    void operator()(T* handle) const noexcept {
        Destroy(handle);
    }
};
template <class T, auto Destroy>
using handle = std::unique_ptr<T, deleter<Destroy>>;

using conf_ptr = handle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using queue_ptr = handle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using event_ptr = handle<rd_kafka_event_t, rd_kafka_event_destroy>;
using error_ptr = handle<rd_kafka_error_t, rd_kafka_error_destroy>;
using topic_ptr = handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using partitions_ptr = handle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using group_metadata_ptr = handle<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;

/// A client is shared with the records it fetched and the calls that run on its worker thread: whoever lets go last
/// destroys it. It never says goodbye to its group then; consumer::close() does that.
using client_ptr = std::shared_ptr<rd_kafka_t>;

class membership {
  public:
    explicit membership(group_metadata_ptr metadata)
        : metadata_(std::move(metadata)) {}
    const rd_kafka_consumer_group_metadata_t* get() const noexcept { return metadata_.get(); }

  private:
    group_metadata_ptr metadata_;
};

using setting = std::pair<const char*, std::string>;

/// The only place that says where Kafka is and how to speak to it. Throws std::runtime_error naming the setting that
/// librdkafka refuses.
conf_ptr make_conf(const cluster&, std::initializer_list<setting>);
client_ptr make_client(rd_kafka_type_t, conf_ptr);

partitions_ptr make_list(std::span<const topic_partition>);
partitions_ptr make_list(std::span<const start>);

/// "events/3"
std::string name_of(const topic_partition&);
std::string text_of(const rd_kafka_error_t*);
std::string text_of(rd_kafka_resp_err_t);
/// Worth another try: the broker is away, is starting, or has moved something.
bool passes_by_itself(rd_kafka_resp_err_t) noexcept;

} // namespace semel::kafka
