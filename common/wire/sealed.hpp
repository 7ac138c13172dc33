#pragma once
// The sealed parts of records, each bound to its place (associated data), so that a sealed part copied into another
// record does not open.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>
#include <semel/v1/audience.pb.h>
#include <semel/v1/delivery.pb.h>

#include <string>
#include <string_view>

namespace semel::wire {

std::string seal_delivery(const crypto::campaign_key&, std::string_view notification, const v1::Delivery&);
base::result<v1::Delivery> open_delivery(const crypto::campaign_key&, const v1::Dispatch&);

/// Fills record.sealed; campaign_id, wave and chunk must be set.
void seal_chunk(const crypto::campaign_key&, v1::AudienceRecord& record, const v1::AudienceChunk&);
base::result<v1::AudienceChunk> open_chunk(const crypto::campaign_key&, const v1::AudienceRecord&);

/// EVENT_RECIPIENT's Recipient.
std::string seal_recipient(const crypto::campaign_key&, std::string_view recipient_ref, const v1::Recipient&);
base::result<v1::Recipient> open_recipient(const crypto::campaign_key&, std::string_view recipient_ref,
                                           std::string_view sealed);

} // namespace semel::wire
