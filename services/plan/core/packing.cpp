#include "packing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace semel::plan {
namespace {

constexpr std::uint64_t most_in_a_bucket = 64;

void append_big_endian(std::string& out, std::uint32_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(n >> shift & 0xff));
    }
}

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t n = 0;
    for (const char c : bytes) {
        n = n << 8 | static_cast<unsigned char>(c);
    }
    return n;
}

void append_bucket(std::string& out, std::uint32_t bucket) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 20; shift >= 0; shift -= 4) {
        out.push_back(digits[bucket >> shift & 0xf]);
    }
}

} // namespace

layout layout::of(std::uint64_t rows, int channels) noexcept {
    const auto entries = std::max<std::uint64_t>(1, rows) * static_cast<std::uint64_t>(1 + std::max(0, channels));
    const auto buckets = std::bit_ceil((entries + most_in_a_bucket - 1) / most_in_a_bucket);
    return layout{std::min(max_bits, static_cast<unsigned>(std::countr_zero(buckets)))};
}

std::uint32_t layout::bucket(const crypto::hash128& hash) const noexcept {
    const auto head = static_cast<std::uint32_t>(hash[0]) << 16 | static_cast<std::uint32_t>(hash[1]) << 8 | hash[2];
    return head >> (max_bits - bits_);
}

std::string layout::key_prefix(const base::campaign_id& campaign, std::uint32_t wave) {
    return fmt::format("{{plan:{}}}:{}:", campaign.value(), wave);
}

void layout::append(std::string& batch, const crypto::hash128& hash) const {
    append_bucket(batch, bucket(hash));
    batch += base::as_view(hash).substr(bits_ / 8);
}

void layout::append(std::string& batch, const crypto::hash128& hash, entry e) const {
    append(batch, hash);
    append_big_endian(batch, e.row);
    append_big_endian(batch, e.segments);
}

std::string bucket_key(const base::campaign_id& campaign, std::uint32_t wave, std::uint32_t bucket) {
    auto key = layout::key_prefix(campaign, wave);
    append_bucket(key, bucket);
    return key;
}

base::result<std::vector<entry>> parse_entries(std::string_view answer, std::size_t expected) {
    if (answer.size() != expected * 8) {
        return base::failed(base::fault::kind::malformed,
                            fmt::format("Redis answered {} bytes where {} entries of 8 were asked for; is another "
                                        "program writing under the keys {{plan:...}}?",
                                        answer.size(), expected));
    }
    std::vector<entry> entries;
    entries.reserve(expected);
    for (; !answer.empty(); answer.remove_prefix(8)) {
        entries.push_back({big_endian(answer.substr(0, 4)), big_endian(answer.substr(4, 4))});
    }
    return entries;
}

} // namespace semel::plan
