#pragma once
// What passes between the delivery engine and the protocols, as plain values: a pure core that judges answers needs
// these without Asio.

#include <base/ids.hpp>
#include <base/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

/// One message, rendered, for one address.
struct outbound {
    base::notification_id notification;
    std::uint32_t attempt = 1;
    base::campaign_id campaign;
    std::string address;            // as given, for sending; personal data
    std::string transport;          // push: "apns" or "fcm"
    std::vector<std::string> parts; // the exact bytes that are hashed: one RFC 5322 message, one JSON payload, or the
                                    // short_message of each SMS part (UDH included)
    std::uint8_t data_coding = 0;   // sms: SMPP data_coding of all parts
    std::string sender;             // email: the From address; sms: the source address, empty: the gateway's
    base::timestamp planned_at{};   // pins dates
    std::optional<base::timestamp> give_up; // expiry for apns-expiration, FCM ttl, SMPP validity_period
};

/// Answers to one message, as its gateway counts: to an SMS, one for each part that went out.
struct submissions {
    unsigned accepted = 0;
    unsigned refused = 0; ///< as too fast
};

/// What the gateway said, or that it said nothing.
struct verdict {
    enum class kind : unsigned char {
        accepted,
        transient, ///< certainly not accepted; try again (retry tiers)
        throttled, ///< certainly not accepted, too fast for what `concerns` names (retry_after)
        permanent, ///< certainly not accepted, and never will be: this recipient fails
        lane_stop, ///< what only the gateway can mean: stop its lane and alarm; the recipient does not fail
        unknown,   ///< last bytes may be out, no complete answer: in doubt
        ambiguous, ///< certainly not accepted; this recipient's fault, or our configuration's (blame.hpp)
    };
    enum class reach : unsigned char {
        lane,    ///< the gateway
        session, ///< one session of it, or nobody says what: one alone says nothing of others
        message, ///< one recipient
    };
    kind what = kind::unknown;
    std::string code;       // the gateway's own: "250 2.0.0", "410 Unregistered", "0x00000058"
    std::string text;       // for people; never contains an address
    std::string message_id; // the gateway's id for an accepted message
    std::optional<std::chrono::milliseconds> retry_after; // this message's next try
    bool asked = false;           // retry_after is the gateway's own word: what `concerns` names is not asked before
    reach concerns = reach::lane; // throttled
    submissions parts = {};       // sms: of those that were just released; none: the message is one
    std::optional<std::chrono::milliseconds> rest_after = {}; // sms: release() again then, for the refused parts
};

/// What a gateway reports later (SMPP deliver_sm); handed over by the protocol, turned into `gateway.receipts` by the
/// edge. The answer to the peer is given when the callback's awaitable has completed.
struct late_report {
    std::string gateway;
    std::string message_id;
    int state = 0; // semel.v1.ReceiptState
    std::string code;
    std::string text;
    std::uint16_t user_message_reference = 0;
    std::string destination; // personal data: hashed by the receiver of this struct
    base::timestamp time{};
};

} // namespace semel::delivery
