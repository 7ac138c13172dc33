#pragma once
// SMPP delivery receipts: the TLVs where they exist, else the text that Appendix B of the specification suggests and
// every carrier spells its own way. Pure.

#include <sms/core/pdu.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::sms {

/// message_state: SMPP 3.4 section 5.2.28, and the two that 5.0 added.
enum class message_state : std::uint8_t {
    scheduled = 0,
    enroute = 1,
    delivered = 2,
    expired = 3,
    deleted = 4,
    undeliverable = 5,
    accepted = 6,
    unknown = 7,
    rejected = 8,
    skipped = 9,
};

/// "DELIVRD", the spelling of receipts.
std::string_view to_string(message_state) noexcept;

struct receipt {
    std::string message_id; // as the carrier wrote it, without quotes and padding, printable (base::to_printable)
    message_state state = message_state::unknown;
    std::string word;  // what the carrier calls the state; empty: the state's own spelling
    std::string error; // "err:", the carrier's own code, or the network's ("3/27"); empty: none
    bool final() const noexcept {
        return state != message_state::scheduled && state != message_state::enroute && state != message_state::accepted;
    }
};

/// Whether a deliver_sm or data_sm reports on a message of ours (esm_class, or TLVs), and is not a message from a
/// handset.
bool is_receipt(const message&) noexcept;

/// Nothing when neither TLVs nor text name a message id.
std::optional<receipt> read_receipt(const message&);
/// Only the text: "id:... stat:DELIVRD err:000 text:...", any case, any order, spaces around the colons, quotes.
std::optional<receipt> parse_receipt_text(std::string_view text);
/// What a carrier means by its word for a state: the specification's, and those that vendors document.
message_state state_named(std::string_view word);

} // namespace semel::sms
