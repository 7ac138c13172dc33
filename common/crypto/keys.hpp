#pragma once
// What is derived from a campaign's key, and how that key travels.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <crypto/seal.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace semel::crypto {

/// The key-encryption key: 32 bytes as 64 hex characters in a file that only the owner can read (0600 or 0400).
/// broken: missing, readable by others, or not 64 hex characters.
base::result<key256> load_key_encryption_key(const std::filesystem::path& file);

/// A campaign's key under the key-encryption key, bound to the campaign's id.
std::string wrap(const key256& kek, const key256& campaign_key, const base::campaign_id& campaign);
base::result<key256> unwrap(const key256& kek, std::string_view wrapped, const base::campaign_id& campaign);

base::recipient_ref recipient_ref_of(const key256& campaign_key, const base::recipient_id& id);

/// 128 bits of a keyed hash, to compare addresses without storing them.
/// `domain` keeps kinds apart: "email", "sms", "push", "recipient", ...
using hash128 = base::byte_array<16>;
hash128 keyed_hash(const key256& campaign_key, std::string_view domain, std::string_view canonical);

base::campaign_id new_campaign_id();

} // namespace semel::crypto
