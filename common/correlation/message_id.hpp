#pragma once
// By which ids a report names its message. Pure.

#include <base/ids.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace semel::correlation {

/// An id without blanks and quotes around it.
std::string_view trimmed_id(std::string_view message_id);
/// An id without what differs between a response and its report although it is the same id: letter case, leading zeros
/// or blanks, quotes, "0x".
std::string plain_id(std::string_view message_id);
/// Some centres answer submit_sm with a hexadecimal id and report it in decimal, or the other way round. The plain
/// forms in which the answer may have given the id of this report: first as it stands, then read as decimal and written
/// in hexadecimal, then the other way round. No duplicates.
std::vector<std::string> id_alternatives(std::string_view message_id);

/// TLV 0x0204: the id's first two bytes. With destination and time it identifies a message only while exactly one
/// candidate is open.
std::uint16_t user_message_reference(const base::notification_id&) noexcept;

} // namespace semel::correlation
