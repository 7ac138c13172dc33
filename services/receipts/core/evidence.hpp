#pragma once
// What a gateway reports later, as an event. Pure.

#include <base/time.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <optional>
#include <string>
#include <string_view>

namespace semel::receipts {

/// In the text of an event that rests on an inference instead of an id.
inline constexpr std::string_view inferred_mark =
    "inferred: the only open message to this number that the receipt can mean";

/// Delivered, read, bounced and complained are all said about a message that the gateway had accepted. "Unknown" says
/// nothing.
bool proves_acceptance(v1::ReceiptState) noexcept;

/// "delivered", for metrics.
std::string_view name_of(v1::ReceiptState) noexcept;

/// The notification that a receipt is about.
struct subject {
    std::string notification;  // 32 bytes
    std::uint32_t attempt = 0; // 0: not known
    std::string campaign;
    v1::Channel channel = v1::CHANNEL_UNSPECIFIED;
    bool test = false;
};

/// The id is a function of notification, state and code: a receipt that comes a hundred times is one event, and two
/// that contradict each other are two.
v1::Event receipt_event(const v1::GatewayReceipt&, const subject&, base::timestamp now, bool inferred);

/// What makes a receipt unusable, in words; nothing when it is sound.
std::optional<std::string> complaint(const v1::GatewayReceipt&);

} // namespace semel::receipts
