#pragma once
// Rows into AudienceRecords. Where a chunk ends depends on the rows alone, counted from the last chunk's end, so a
// restart at a chunk's end cuts the rest in the same places. Pure.

#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>
#include <semel/v1/audience.pb.h>

#include <cstdint>

namespace semel::intake {

class chunker {
  public:
    static constexpr int most_rows = 500;
    /// A chunk is closed at this size; with the longest row on top it stays well below Kafka's 1 MiB.
    static constexpr std::size_t enough_bytes = 256 * 1024;

    chunker(base::campaign_id, std::uint32_t upload, std::uint64_t next_chunk);

    /// Where the next row goes: fill it, then keep() or drop() it.
    v1::Recipient& slot();
    void keep();
    void drop();

    bool full() const noexcept { return chunk_.recipients_size() == most_rows || bytes_ >= enough_bytes; }
    bool empty() const noexcept { return chunk_.recipients_size() == 0; }
    std::uint64_t next_chunk() const noexcept { return next_; }

    /// The kept rows as a sealed record; the next chunk begins.
    v1::AudienceRecord take(const crypto::campaign_key&);

  private:
    base::campaign_id campaign_;
    std::uint32_t upload_;
    std::uint64_t next_;
    v1::AudienceChunk chunk_;
    std::size_t bytes_ = 0;
};

} // namespace semel::intake
