#pragma once
// What is awaited and stands in no record, found again in `events`: what an interval of them opened and nothing in it
// has followed. Whatever else was said about a notification has ended it or put it into the state store (book). Pure.

#include <base/ids.hpp>
#include <base/time.hpp>
#include <semel/v1/events.pb.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace semel::receipts {

class awaited {
  public:
    struct one {
        v1::Event event;
        base::timestamp told; // the broker's time of its record
        std::int64_t offset = 0;
    };
    void hear(const v1::Event&, base::timestamp told, std::int64_t offset);
    /// In their order: one that came too late to open anything may be followed by one that did.
    const std::unordered_map<base::notification_id, std::vector<one>>& all() const noexcept { return all_; }

  private:
    std::unordered_map<base::notification_id, std::vector<one>> all_;
};

} // namespace semel::receipts
