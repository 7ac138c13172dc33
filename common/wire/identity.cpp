#include "identity.hpp"

#include <crypto/hash.hpp>

#include <utility>

namespace semel::wire {

dedup_key dedup_key_of(const crypto::campaign_key& key, v1::Dedup mode, base::channel channel,
                       const base::recipient_id& id, std::string_view canonical_address) {
    if (mode == v1::DEDUP_ACCOUNT) {
        const auto both = crypto::sha256_of_fields({id.value(), canonical_address});
        return crypto::keyed_hash(key, std::string{base::to_string(channel)} + "+account", base::as_view(both));
    }
    return crypto::keyed_hash(key, base::to_string(channel), canonical_address);
}

base::notification_id notification_id_of(const base::campaign_id& campaign, base::channel channel, const dedup_key& key,
                                         std::optional<std::uint32_t> supplement_segments) {
    const std::string segments = supplement_segments ? std::to_string(*supplement_segments) : std::string{};
    return base::notification_id{
        crypto::sha256_of_fields({campaign.value(), base::to_string(channel), base::as_view(key), segments})};
}

std::string event_id(int kind, std::string_view subject, std::uint32_t attempt, std::string_view discriminator) {
    const auto digest =
        crypto::sha256_of_fields({std::to_string(kind), subject, std::to_string(attempt), discriminator});
    return std::string{base::as_view(digest).substr(0, 16)};
}

receipt_place place_of(const v1::GatewayReceipt& r, std::int32_t partitions) {
    auto key = r.gateway() + "|" + (r.message_id().empty() ? base::to_hex(r.notification()) : r.message_id());
    const auto digest = crypto::sha256(key);
    return {.key = std::move(key), .partition = base::partition_of(base::as_view(digest), partitions)};
}

v1::Channel to_proto(base::channel c) noexcept {
    return static_cast<v1::Channel>(c);
}

std::optional<base::channel> from_proto(v1::Channel c) noexcept {
    switch (c) {
    case v1::CHANNEL_EMAIL:
        return base::channel::email;
    case v1::CHANNEL_PUSH:
        return base::channel::push;
    case v1::CHANNEL_SMS:
        return base::channel::sms;
    default:
        return std::nullopt;
    }
}

} // namespace semel::wire
