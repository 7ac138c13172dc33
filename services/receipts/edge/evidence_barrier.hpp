#pragma once
// What must have been read before time may decide about a doubt. Evidence lies in `events`, or in `gateway.receipts`
// where another process may read it; that process says what it found in `events`. So there are two waits. First, all
// that was in both topics at one moment must have been read, by whichever process reads it. Then what those processes
// wrote into our partitions of `events` must have been read here. Pure: Kafka is asked by the service.

#include <base/time.hpp>
#include <kafka/types.hpp>

#include <map>

namespace semel::receipts {

/// How far partitions go, or have been read.
using reading = std::map<kafka::topic_partition, kafka::offset>;

class evidence_barrier {
  public:
    enum class step : unsigned char {
        ask_all, ///< nothing is waited for: ask how far both topics go
        ask_own, ///< once passed: ask how far our own partitions of `events` go
        decide,  ///< once passed
    };
    step next() const noexcept { return next_; }
    /// Of the first question: what was due then may be decided at the end.
    base::timestamp asked_at() const noexcept { return asked_at_; }

    void wait_for_all(reading ends, base::timestamp asked_at);
    void wait_for_own(reading ends);
    /// Whether all that is waited for has been read.
    bool passed(const reading&) const;
    /// Decided, or nothing is due any more, or what was read is no longer ours.
    void drop();

  private:
    step next_ = step::ask_all;
    reading ends_;
    base::timestamp asked_at_{};
};

} // namespace semel::receipts
