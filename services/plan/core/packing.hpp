#pragma once
// How the register lies in Redis: small hashes ("buckets") that Redis keeps as listpacks, so that an address costs some
// 30 bytes instead of 100. Pure: names and bytes only.
//
//   {plan:CAMPAIGN}:head         hash: marker, server, and one field for each finished span (address_register/head.hpp)
//   {plan:CAMPAIGN}:WAVE:BUCKET  hash: field = the rest of the 128-bit key, value = row and segments
//
// The braces are the hash tag of Redis Cluster: a campaign's buckets lie on the slot of their head, which every script
// compares first. A bucket has 32 to 64 fields when every recipient has every channel, so that even Redis' default of
// 128 (hash-max-listpack-entries) never turns one into a hash table. The bucket's number is the key's leading bits;
// whole bytes of it are left out of the field, so no bit of the 128 is lost.

#include "leader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace semel::plan {

/// The shape of one wave's buckets: a function of the sealed wave and the campaign, so that every process agrees.
class layout {
  public:
    static constexpr unsigned max_bits = 24;

    /// `rows` of the wave; each may have one entry for its id and one for each channel.
    static layout of(std::uint64_t rows, int channels) noexcept;

    unsigned bits() const noexcept { return bits_; }
    std::size_t field_bytes() const noexcept { return 16 - bits_ / 8; }
    std::uint32_t bucket(const crypto::hash128&) const noexcept;
    /// "{plan:CAMPAIGN}:WAVE:"; a bucket's key is this and its number as 6 hex digits.
    static std::string key_prefix(const base::campaign_id&, std::uint32_t wave);

    /// One item of the register script's batch: bucket (6 hex), field, row and segments (4 bytes each, big endian).
    void append(std::string& batch, const crypto::hash128&, entry) const;
    /// One item of the look-up script's batch: bucket (6 hex), field.
    void append(std::string& batch, const crypto::hash128&) const;

  private:
    explicit layout(unsigned bits)
        : bits_(bits) {}
    unsigned bits_;
};

std::string bucket_key(const base::campaign_id&, std::uint32_t wave, std::uint32_t bucket);

/// The look-up script's answer: 8 bytes for each item, row 0 where there is nothing. malformed: another length.
base::result<std::vector<entry>> parse_entries(std::string_view answer, std::size_t expected);

} // namespace semel::plan
