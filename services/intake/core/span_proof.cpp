#include "span_proof.hpp"

#include <fmt/format.h>

namespace semel::intake {

span_proof::span_proof(base::campaign_id campaign, std::uint32_t upload, std::uint32_t partitions, std::uint64_t chunks,
                       std::uint64_t rows)
    : campaign_(std::move(campaign))
    , upload_(upload)
    , chunks_(chunks)
    , rows_(rows)
    , partitions_(partitions) {
    for (std::uint32_t p = 0; p < partitions; ++p) {
        partitions_[p].span.set_partition(p);
        partitions_[p].next_chunk = p;
    }
}

base::result<void> span_proof::take(std::uint32_t partition, std::int64_t offset, const v1::AudienceRecord& record) {
    if (record.upload() != upload_ || record.campaign_id() != campaign_.value()) {
        return {};
    }
    auto& state = partitions_.at(partition);
    if (record.chunk() != state.next_chunk) {
        return base::failed(base::fault::kind::broken,
                            fmt::format("campaign {} upload {}: audience partition {} offset {} has chunk {}, not {}",
                                        campaign_.value(), upload_, partition, offset, record.chunk(),
                                        state.next_chunk));
    }
    state.next_chunk += partitions_.size();
    if (state.span.chunks() == 0) {
        state.span.set_start_offset(offset);
    }
    state.span.set_end_offset(offset + 1);
    state.span.set_chunks(state.span.chunks() + 1);
    state.hasher.update(record.sealed());
    ++chunks_seen_;
    rows_seen_ += record.count();
    return {};
}

base::result<std::vector<v1::AudienceSpan>> span_proof::finish() {
    if (chunks_seen_ != chunks_ || rows_seen_ != rows_) {
        return base::failed(base::fault::kind::broken,
                            fmt::format("campaign {} upload {}: audience holds {} chunks with {} rows, not {} with {}",
                                        campaign_.value(), upload_, chunks_seen_, rows_seen_, chunks_, rows_));
    }
    std::vector<v1::AudienceSpan> spans;
    for (auto& state : partitions_) {
        if (state.span.chunks() != 0) {
            state.span.set_digest(std::string{base::as_view(state.hasher.finish())});
            spans.push_back(std::move(state.span));
        }
    }
    return spans;
}

} // namespace semel::intake
