#pragma once
// The ids that cross module borders.

#include <base/bytes.hpp>
#include <base/strong.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace semel::base {

enum class channel : std::uint8_t { email = 1, push = 2, sms = 3 }; // the values of semel.v1.Channel

std::string_view to_string(channel c) noexcept;
std::optional<channel> channel_from(std::string_view name) noexcept;

/// "c-" and 16 characters of lower-case base32: sortable by nothing, guessable by nobody.
using campaign_id = strong<struct campaign_id_tag, std::string>;

/// A column of an audience; chosen by the uploader. Personal data: never logged.
using recipient_id = strong<struct recipient_id_tag, std::string>;

/// idem = SHA-256(campaign, channel, deduplication key[, segments of a supplement]): one message, for ever.
using notification_id = strong<struct notification_id_tag, byte_array<32>>;

/// HMAC-SHA256 under the campaign's key of the recipient id, first 16 bytes: a person inside one campaign.
using recipient_ref = strong<struct recipient_ref_tag, byte_array<16>>;

/// SHA-256 of a serialized Artifact.
using artifact_id = strong<struct artifact_id_tag, byte_array<32>>;

/// Where a recipient stands in the whole audience: earlier waves first.
struct sequence {
    std::uint32_t wave = 0;
    std::uint64_t row = 0;
    friend constexpr auto operator<=>(const sequence&, const sequence&) = default;
};

template <class Tag, std::size_t N>
std::string_view as_view(const strong<Tag, byte_array<N>>& id) noexcept {
    return as_view(id.value());
}
template <class Tag, std::size_t N>
std::string to_hex(const strong<Tag, byte_array<N>>& id) {
    return to_hex(as_view(id.value()));
}
/// `auto id = from_bytes<notification_id>(record.notification());`: nothing unless the length is right.
template <class Id>
std::optional<Id> from_bytes(std::string_view bytes) {
    constexpr auto size = sizeof(typename Id::value_type);
    if (auto array = as_array<size>(bytes)) {
        return Id{*array};
    }
    return std::nullopt;
}

/// The partition that a 16- or 32-byte hash belongs to, the same for every producer of Semel.
std::int32_t partition_of(std::string_view hash, std::int32_t partitions) noexcept;

} // namespace semel::base

template <class Tag, std::size_t N>
struct std::hash<semel::base::strong<Tag, semel::base::byte_array<N>>> {
    // The bytes are already a hash: eight of them are as good as any.
    std::size_t operator()(const semel::base::strong<Tag, semel::base::byte_array<N>>& id) const noexcept {
        std::size_t h = 0;
        std::memcpy(&h, id.value().data() + 8, sizeof h);
        return h;
    }
};
