#pragma once
// Internal: the one place where records get their MAC, and the one where it is asked for.

#include <kafka/handles.hpp>
#include <kafka/trust.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace semel::kafka {

class authority {
  public:
    authority(crypto::key_ring keys, refusal_sink sink, unsigned_ends before)
        : keys_(std::move(keys))
        , sink_(std::move(sink))
        , before_(std::move(before)) {}

    /// Copies key and value into the client's queue, with the MAC. `value` null: a tombstone.
    rd_kafka_resp_err_t produce(rd_kafka_t*, rd_kafka_topic_t*, const topic_partition& to, std::string_view key,
                                const char* value, std::size_t size, void* opaque) const;
    /// Whether it is genuine. The sink is told when it is not.
    bool believes(const record&) const;
    void refuse(const record&, std::string_view why) const;

  private:
    crypto::key_ring keys_;
    refusal_sink sink_;
    unsigned_ends before_;
};

/// What trust() was given. Throws std::logic_error before that: no client may write or believe without it.
std::shared_ptr<const authority> present_authority();

} // namespace semel::kafka
