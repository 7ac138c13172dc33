#pragma once
// Filling an artifact's slots, in the moment of sending. Pure: the same artifact and values give the same bytes, for
// every attempt and, two years later, for the auditor who renders it again.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/delivery.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// What differs from message to message.
struct values {
    base::campaign_id campaign;
    base::notification_id notification; // Message-ID, apns-collapse-id, ...
    base::timestamp planned_at{};       // Date
    const v1::Delivery* delivery = nullptr;
    bool test = false;                      // marks the subject or text as a test
    std::optional<base::timestamp> give_up; // FCM's ttl counts from planned_at to here; nothing: FCM's own four weeks
    std::string verification = {};          // the campaign's code for the artifact's channel and locale
};

/// The exact bytes to send (see delivery::outbound::parts) and their digest.
struct content {
    std::vector<std::string> parts;
    std::uint8_t data_coding = 0; // sms
    std::string sender;           // email: the From address; sms: the source address
    crypto::digest sha256{};      // over the parts, each with its length (crypto::sha256_of_fields' way)
};

/// `permanent` when this person's values cannot be sent (an SMS over its parts, a payload over 4,096 bytes); `broken`
/// when the text shows its code and the values have none: a notice with a gap in its place helps only forgers.
base::result<content> fill(const v1::Artifact&, const values&);

/// Whether values::verification stands in it.
bool shows_verification(const v1::Artifact&);

/// Message-ID of an email: <HEX-OF-NOTIFICATION@domain of the sender>.
std::string message_id_of(const base::notification_id&, std::string_view sender_address);

} // namespace semel::notice
