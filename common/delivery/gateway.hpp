#pragma once
// The seam between the delivery engine and the protocols. Sending is split in two, because only then is a crash before
// the claim a certain "not sent" (design.md, section 5):
//
//   stage()    writes everything except the bytes that make the gateway accept (SMTP: the final dot; HTTP/2: the
//              last byte of the body; SMPP: the PDU itself)
//   release()  writes those bytes and waits for the answer
//
// Between the two the engine takes the claim in Redis.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace semel::delivery {

/// One message, rendered, for one address.
struct outbound {
    base::notification_id notification;
    std::uint32_t attempt = 1;
    base::campaign_id campaign;
    std::string address;          // as given, for sending; personal data
    std::string transport;        // push: "apns" or "fcm"
    std::vector<std::string> parts; // the exact bytes that are hashed: one RFC 5322 message, one JSON payload, or the
                                    // short_message of each SMS part (UDH included)
    std::uint8_t data_coding = 0; // sms: SMPP data_coding of all parts
    std::string sender;           // email: the From address; sms: the source address, empty: the gateway's
    base::timestamp planned_at{}; // pins dates
    std::optional<base::timestamp> give_up; // expiry for apns-expiration, FCM ttl, SMPP validity_period
};

/// What the gateway said, or that it said nothing.
struct verdict {
    enum class kind : unsigned char {
        accepted,
        transient,  ///< certainly not accepted; try again (retry tiers)
        throttled,  ///< certainly not accepted; the whole lane slows down (retry_after)
        permanent,  ///< certainly not accepted, and never will be: this recipient fails
        lane_stop,  ///< configuration or policy error: stop the gateway's lane and alarm; the recipient does not fail
        unknown,    ///< last bytes may be out, no complete answer: in doubt
    };
    kind what = kind::unknown;
    std::string code;        // the gateway's own: "250 2.0.0", "410 Unregistered", "0x00000058"
    std::string text;        // for people; never contains an address
    std::string message_id;  // the gateway's id for an accepted message
    std::optional<std::chrono::milliseconds> retry_after;
};

/// A message whose last bytes are still held back. Destroying it without release() withdraws it: the protocol makes
/// sure that the gateway does not accept it (drops the connection before the dot, resets the stream, frees the slot).
class staged {
  public:
    virtual ~staged() = default;
    /// Never throws for what the peer does; returns `unknown` when the connection was lost or the protocol's
    /// own timeout passed after the bytes went. Call once.
    virtual boost::asio::awaitable<verdict> release() = 0;
};

/// A gateway of semel.yaml with its connections. One strand.
class gateway {
  public:
    virtual ~gateway() = default;
    virtual const std::string& name() const noexcept = 0;
    /// Whether it can carry this message at all (push: the transport; email: SMTPUTF8 where needed is found at stage()).
    virtual bool serves(const outbound&) const noexcept = 0;
    /// How many messages may be staged or released at once, at most: the flight, and so the bound on doubt.
    virtual std::size_t window() const noexcept = 0;
    /// Waits for a free session or stream (at most `patience`), then writes. The message must outlive the result.
    /// A verdict instead of a staged message is certain: nothing was accepted (never `accepted` or `unknown`).
    virtual boost::asio::awaitable<std::variant<std::unique_ptr<staged>, verdict>>
    stage(const outbound&, std::chrono::milliseconds patience) = 0;
    /// Keeps connections alive, refreshes tokens, reads receipts; runs until cancelled.
    virtual boost::asio::awaitable<void> run() = 0;
    /// Says goodbye (QUIT, GOAWAY, unbind) once nothing is in flight.
    virtual boost::asio::awaitable<void> close() = 0;
};

/// What a gateway reports later (SMPP deliver_sm); handed over by the protocol, turned into `gateway.receipts` by the
/// edge. The answer to the peer is given when the callback's awaitable has completed.
struct late_report {
    std::string gateway;
    std::string message_id;
    int state = 0;      // semel.v1.ReceiptState
    std::string code;
    std::string text;
    std::uint16_t user_message_reference = 0;
    std::string destination; // personal data: hashed by the receiver of this struct
    base::timestamp time{};
};

} // namespace semel::delivery
