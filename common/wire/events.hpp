#pragma once
// How events are made: their ids, what every event about a message says, the bytes of a peer made fit for a record, and
// the batches that they travel in. In one place, because an event that lacks a field, or has another id the second
// time, is a line of the coverage that does not close.

#include <base/time.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::wire {

/// About the message of this dispatch.
v1::Event event_of(v1::EventKind, const v1::Dispatch&, base::timestamp when, std::string_view discriminator = {});

/// A dispatch that is all that a resend needs; of a message that may be out.
void keep_for_resend(v1::Event&, const v1::Dispatch&);
/// Of an SMS, its number, sealed. receipts compares it with the number in a report: an id alone, spelled otherwise, may
/// be another message's.
void keep_number(v1::Event&, const v1::Dispatch&);

/// What a peer said of a message. It is made printable: one byte that is not UTF-8, and nobody could read the batch
/// with everybody else's events.
struct said {
    std::string gateway;
    std::string_view code;
    std::string_view text;
    std::string_view message_id = {};
    std::string content_sha256 = {};
};
void tell(v1::Event&, said);

/// Which partition of `events` an event belongs to: those of one notification stay in order, and so do those of one
/// recipient, and those about a campaign as a whole.
std::int32_t partition_of(const v1::Event&, std::int32_t partitions) noexcept;

/// EventBatch records of at most about `limit` bytes, by partition of `events`.
class event_batches {
  public:
    explicit event_batches(std::int32_t partitions, std::size_t limit = 200'000)
        : partitions_(partitions)
        , limit_(limit) {}

    struct record {
        std::int32_t partition = 0;
        std::string value;
    };
    void add(const v1::Event&);
    /// All that was added since the last time.
    std::vector<record> take();

  private:
    struct open_batch {
        v1::EventBatch batch;
        std::size_t bytes = 0;
    };
    std::int32_t partitions_;
    std::size_t limit_;
    std::map<std::int32_t, open_batch> open_;
    std::vector<record> full_;
};

} // namespace semel::wire
