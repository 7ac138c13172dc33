#include "chunker.hpp"

#include <wire/sealed.hpp>

namespace semel::intake {

chunker::chunker(base::campaign_id campaign, std::uint32_t upload, std::uint64_t next_chunk)
    : campaign_(std::move(campaign))
    , upload_(upload)
    , next_(next_chunk) {}

v1::Recipient& chunker::slot() {
    return *chunk_.add_recipients();
}

void chunker::keep() {
    bytes_ += chunk_.recipients(chunk_.recipients_size() - 1).ByteSizeLong();
}

void chunker::drop() {
    chunk_.mutable_recipients()->RemoveLast();
}

v1::AudienceRecord chunker::take(const crypto::campaign_key& key) {
    v1::AudienceRecord record;
    record.set_campaign_id(campaign_.value());
    record.set_upload(upload_);
    record.set_chunk(next_++);
    record.set_first_row(chunk_.recipients(0).row());
    record.set_count(static_cast<std::uint32_t>(chunk_.recipients_size()));
    wire::seal_chunk(key, record, chunk_);
    chunk_.clear_recipients(); // keeps the allocated messages for the next chunk
    bytes_ = 0;
    return record;
}

} // namespace semel::intake
