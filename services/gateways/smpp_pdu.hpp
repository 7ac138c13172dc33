#pragma once
// SMPP 3.4 as a message centre reads and writes it (the specification's sections 3.2, 4 and 5). Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::gateways::smpp {

namespace id {
constexpr std::uint32_t bind_receiver = 0x01, bind_transmitter = 0x02, submit_sm = 0x04, deliver_sm = 0x05,
                        unbind = 0x06, bind_transceiver = 0x09, enquire_link = 0x15, generic_nack = 0x80000000,
                        response = 0x80000000;
}
namespace status {
constexpr std::uint32_t ok = 0, bad_message_length = 0x01, bad_command_length = 0x02, bad_command = 0x03,
                        wrong_bind_state = 0x04, already_bound = 0x05, bad_source = 0x0A, bad_destination = 0x0B,
                        bad_password = 0x0E, bad_system_id = 0x0F, bad_esm_class = 0x43, throttled = 0x58,
                        bad_schedule = 0x61, bad_validity = 0x62, bad_optional_part = 0xC0;
}

constexpr std::size_t header_size = 16;
constexpr std::size_t longest_pdu = 65'536 + 1'024; // a message_payload of 64 KiB

struct header {
    std::uint32_t length = 0, command = 0, status = 0, sequence = 0;
};
/// Of at least 16 bytes.
header read_header(std::string_view) noexcept;

struct bind_request {
    std::string system_id, password;
};
std::optional<bind_request> read_bind(std::string_view body);

struct address {
    std::uint8_t ton = 0, npi = 0;
    std::string digits;
};
struct submission {
    address source, destination;
    std::uint8_t esm_class = 0, registered_delivery = 0, data_coding = 0;
    std::string content; // short_message, or message_payload
    std::optional<std::uint16_t> user_message_reference;
    // Of its user data header; one part without.
    std::uint16_t reference = 0;
    std::uint8_t part = 1, parts = 1;
    std::size_t header_bytes = 0;
};
/// What a strict centre finds wrong: its command_status and the rule.
struct objection {
    std::uint32_t status = 0;
    std::string_view rule;
};
struct read_submission_result {
    submission message;
    std::optional<objection> wrong;
};
read_submission_result read_submission(std::string_view body);

struct receipt {
    std::string message_id;
    address from, to; // the message's destination, its source
    std::optional<std::uint16_t> user_message_reference;
    std::string state;           // "DELIVRD"
    std::string submitted, done; // YYMMDDhhmm
    std::string beginning;       // of the message's text
    bool as_text = true, as_tlv = true;
};

void write_empty(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence);
void write_bind_response(std::string& out, std::uint32_t command, std::uint32_t sequence, std::string_view system_id);
void write_submit_response(std::string& out, std::uint32_t sequence, std::string_view message_id);
void write_receipt(std::string& out, std::uint32_t sequence, const receipt&);

} // namespace semel::gateways::smpp
