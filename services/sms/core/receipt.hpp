#pragma once
// SMPP delivery receipts: the TLVs where they exist, else the text that Appendix B of the specification suggests and
// every carrier spells its own way. Pure.

#include <sms/core/pdu.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::sms {

/// message_state, SMPP 3.4 section 5.2.28.
enum class message_state : std::uint8_t {
    enroute = 1,
    delivered = 2,
    expired = 3,
    deleted = 4,
    undeliverable = 5,
    accepted = 6,
    unknown = 7,
    rejected = 8,
};

/// "DELIVRD", the spelling of receipts.
std::string_view to_string(message_state) noexcept;

struct receipt {
    std::string message_id; // as the carrier wrote it, but printable (base::to_printable)
    message_state state = message_state::unknown;
    std::string error; // "err:", the carrier's own code; empty: none
    bool final() const noexcept { return state != message_state::enroute && state != message_state::accepted; }
};

/// Whether a deliver_sm reports on a message of ours (esm_class), and is no message from a handset.
bool is_receipt(const message&) noexcept;

/// Nothing when neither TLVs nor text name a message id.
std::optional<receipt> read_receipt(const message&);
/// Only the text: "id:... stat:DELIVRD err:000 text:...", any case, any order, spaces after the colons.
std::optional<receipt> parse_receipt_text(std::string_view text);

/// Some centres answer submit_sm with a hexadecimal id and report it in decimal, or the other way round, or pad it with
/// zeros. The spellings under which the same message may be found: as written first, then lower case without leading
/// zeros, then decimal read as hexadecimal and back. No duplicates.
std::vector<std::string> id_alternatives(std::string_view message_id);

} // namespace semel::sms
