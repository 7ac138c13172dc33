#pragma once
// command_status -> what it means for the message and the lane (SMPP 3.4, section 5.1.3). Pure.

#include <delivery/message.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace semel::sms {

/// The answer to one submit_sm.
delivery::verdict classify_submit(std::uint32_t status, const std::string& message_id);
/// The answer to a bind: lane_stop for what an operator must mend (password, system id), transient for the rest.
delivery::verdict classify_bind(std::uint32_t status);

/// One verdict for a message of several parts, which are one key: accepted only when all are. If some were accepted and
/// others not, the person has a fragment and the message is neither sent nor unsent: unknown. If none was accepted, the
/// gravest refusal. message_id of an accepted one: the parts' ids in order, joined by ','.
delivery::verdict combine(std::span<const delivery::verdict> parts);

/// "0x00000058".
std::string status_code(std::uint32_t status);

} // namespace semel::sms
