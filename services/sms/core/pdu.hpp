#pragma once
// SMPP 3.4 PDUs, both directions (the specification's sections 4 and 5). Pure.
//
// A decoder of bytes from outside: lengths are believed only after they are checked, unknown TLVs are kept apart and
// otherwise ignored, unknown commands decode as such, so that the session can answer generic_nack.

#include <base/fault.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace semel::sms {

enum class command : std::uint32_t {
    generic_nack = 0x80000000,
    bind_receiver = 0x01,
    bind_transmitter = 0x02,
    bind_transceiver = 0x09,
    outbind = 0x0B,
    submit_sm = 0x04,
    deliver_sm = 0x05,
    unbind = 0x06,
    enquire_link = 0x15,
    alert_notification = 0x102,
    data_sm = 0x103,
};
constexpr std::uint32_t response_bit = 0x80000000;
constexpr std::uint32_t response_to(command c) noexcept {
    return static_cast<std::uint32_t>(c) | response_bit;
}

namespace status {
constexpr std::uint32_t ok = 0x00, invalid_command = 0x03, already_bound = 0x05, system_error = 0x08,
                        invalid_source = 0x0A, invalid_destination = 0x0B, bind_failed = 0x0D, invalid_password = 0x0E,
                        invalid_system_id = 0x0F, queue_full = 0x14, submit_failed = 0x45, throttled = 0x58,
                        receiver_temporary = 0x64, receiver_permanent = 0x65, receiver_reject = 0x66;
}

namespace tag {
constexpr std::uint16_t receipted_message_id = 0x001E, user_message_reference = 0x0204, network_error_code = 0x0423,
                        message_payload = 0x0424, message_state = 0x0427, sc_interface_version = 0x0210;
}

struct tlv {
    std::uint16_t tag = 0;
    std::string value;
    friend bool operator==(const tlv&, const tlv&) = default;
};

struct header {
    std::uint32_t length = 0; // whole PDU, these 16 bytes included
    std::uint32_t command_id = 0;
    std::uint32_t command_status = 0;
    std::uint32_t sequence = 0;
};

/// Type of number and numbering plan.
struct numbering {
    std::uint8_t ton = 0;
    std::uint8_t npi = 0;
    friend bool operator==(const numbering&, const numbering&) = default;
};

struct bind {
    command mode = command::bind_transceiver;
    std::string system_id;   // up to 15 bytes
    std::string password;    // up to 8
    std::string system_type; // up to 12
    std::uint8_t interface_version = 0x34;
    numbering address;
    std::string address_range;
};
struct bind_resp {
    command mode = command::bind_transceiver;
    std::string system_id;
};
/// submit_sm and deliver_sm share one layout; data_sm has a part of it.
struct message {
    command kind = command::submit_sm;
    std::string service_type;
    numbering source_numbering;
    std::string source; // up to 20 bytes; 64 in a data_sm
    numbering destination_numbering;
    std::string destination; // the same
    std::uint8_t esm_class = 0;
    std::uint8_t protocol_id = 0;
    std::uint8_t priority = 0;
    std::string schedule;
    std::string validity;
    std::uint8_t registered_delivery = 0;
    std::uint8_t replace_if_present = 0;
    std::uint8_t data_coding = 0;
    std::uint8_t default_message = 0;
    std::string short_message; // up to 254 bytes
    std::vector<tlv> optional;

    const std::string* find(std::uint16_t tag) const noexcept;
    /// short_message, or message_payload where that is used instead.
    std::string_view text() const noexcept;
};
struct message_resp {
    command kind = command::submit_sm;
    std::string message_id; // up to 64 bytes; empty in a refusal
};
struct enquire_link {};
struct enquire_link_resp {};
struct unbind {};
struct unbind_resp {};
struct generic_nack {};
struct unknown_command {
    std::uint32_t id = 0;
};

using body = std::variant<bind, bind_resp, message, message_resp, enquire_link, enquire_link_resp, unbind, unbind_resp,
                          generic_nack, unknown_command>;

struct pdu {
    std::uint32_t status = 0;
    std::uint32_t sequence = 0;
    sms::body content;
};

/// Appends the PDU. Strings beyond their field are a bug of the caller: std::length_error.
void encode(std::string& out, const pdu&);

/// One PDU of exactly `bytes`. `malformed` when a field runs over the end or a C string has no NUL; the header can
/// still be read by read_header().
base::result<pdu> decode(std::string_view bytes);
/// Needs 16 bytes.
header read_header(std::string_view bytes) noexcept;

/// Cuts PDUs out of a stream.
class framer {
  public:
    /// No PDU that Semel exchanges comes near: message_payload is at most 64 KiB.
    static constexpr std::uint32_t longest = 70'000;

    void feed(std::string_view bytes);
    /// The bytes of the next whole PDU, valid until the next feed(). Once broken() there are no more.
    std::optional<std::string_view> next() noexcept;
    /// A length below 16 or over `longest`: the stream has lost its frame, only closing helps.
    bool broken() const noexcept { return broken_; }

  private:
    std::string buffer_;
    std::size_t at_ = 0;
    bool broken_ = false;
};

} // namespace semel::sms
