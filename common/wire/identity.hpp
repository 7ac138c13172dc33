#pragma once
// How ids are derived: in one place, because two derivations that differ by a byte would tell somebody twice.

#include <base/ids.hpp>
#include <crypto/keys.hpp>
#include <semel/v1/campaign.pb.h>
#include <semel/v1/delivery.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::wire {

/// What a message is unique for: 128 bits of a keyed hash of the canonical address, or of (recipient, address).
using dedup_key = crypto::hash128;

dedup_key dedup_key_of(const crypto::campaign_key&, v1::Dedup, base::channel, const base::recipient_id&,
                       std::string_view canonical_address);
/// `supplement_segments`: the segments of a supplement (a notification of its own); nothing for a notice.
base::notification_id notification_id_of(const base::campaign_id&, base::channel, const dedup_key&,
                                         std::optional<std::uint32_t> supplement_segments = std::nullopt);
/// First 16 bytes of SHA-256 over kind, notification or recipient_ref, attempt and a discriminator: the same thing
/// emitted twice has the same id.
std::string event_id(int kind, std::string_view subject, std::uint32_t attempt, std::string_view discriminator = {});

/// Where a gateway's report goes in `gateway.receipts`: all about one message to one partition, in their order.
struct receipt_place {
    std::string key;
    std::int32_t partition = 0;
};
receipt_place place_of(const v1::GatewayReceipt&, std::int32_t partitions);

v1::Channel to_proto(base::channel) noexcept;
std::optional<base::channel> from_proto(v1::Channel) noexcept;

} // namespace semel::wire
