#pragma once
// Events as records of `events`. Pure.

#include <semel/v1/events.pb.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace semel::wire {

/// An EventBatch, and the partition that it goes to.
struct event_record {
    std::int32_t partition = 0;
    std::string value;
};

/// Packs events into few records: a record costs each reader a MAC, and a batch compresses. Those of one partition stay
/// in order.
class event_batches {
  public:
    /// Well below the 1 MiB that a topic takes, and what a reader holds of one record at a time.
    static constexpr std::size_t largest = 200'000;

    explicit event_batches(std::size_t limit = largest)
        : limit_(limit) {}

    void add(std::int32_t partition, const v1::Event&);
    /// All that was added, in records of at most the limit (or of one event that is larger). Begins anew.
    std::vector<event_record> take();

  private:
    struct open_batch {
        v1::EventBatch batch;
        std::size_t bytes = 0;
    };
    void close(std::int32_t partition, open_batch&);

    std::size_t limit_;
    std::map<std::int32_t, open_batch> open_;
    std::vector<event_record> full_;
};

} // namespace semel::wire
