#pragma once
// What is derived from a campaign's key.

#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>
#include <crypto/key_ring.hpp>

#include <string_view>

namespace semel::crypto {

base::recipient_ref recipient_ref_of(const campaign_key&, const base::recipient_id& id);

/// 128 bits of a keyed hash, to compare addresses without storing them.
/// `domain` keeps kinds apart: "email", "sms", "push", "recipient", ...
using hash128 = base::byte_array<16>;
hash128 keyed_hash(const key256& hashing_key, std::string_view domain, std::string_view canonical);
hash128 keyed_hash(const campaign_key&, std::string_view domain, std::string_view canonical);

base::campaign_id new_campaign_id();

} // namespace semel::crypto
