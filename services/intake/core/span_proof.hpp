#pragma once
// What an upload looks like in `audience`, read back before anybody is told that it is there: every chunk once, in
// order, each row counted. The spans that come out are what plan relies on. Pure.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <semel/v1/audience.pb.h>

#include <cstdint>
#include <vector>

namespace semel::intake {

class span_proof {
  public:
    span_proof(base::campaign_id, std::uint32_t upload, std::uint32_t partitions, std::uint64_t chunks,
               std::uint64_t rows);

    /// A record of `audience`, in the partition's order; records of other uploads are passed over. `broken`: a chunk is
    /// missing, twice, or in the wrong partition.
    base::result<void> take(std::uint32_t partition, std::int64_t offset, const v1::AudienceRecord&);
    bool complete() const noexcept { return chunks_seen_ == chunks_; }
    /// One span for each partition that holds chunks. `broken`: chunks or rows are missing.
    base::result<std::vector<v1::AudienceSpan>> finish();

  private:
    struct partition_state {
        v1::AudienceSpan span;
        crypto::hasher hasher;
        std::uint64_t next_chunk = 0;
    };

    base::campaign_id campaign_;
    std::uint32_t upload_;
    std::uint64_t chunks_, rows_;
    std::uint64_t chunks_seen_ = 0, rows_seen_ = 0;
    std::vector<partition_state> partitions_;
};

} // namespace semel::intake
