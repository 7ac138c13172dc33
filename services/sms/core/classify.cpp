#include "classify.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <sms/core/pdu.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace semel::sms {

namespace {

using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

struct row {
    std::uint32_t status;
    std::string_view text;
    kind submit;                 // said of a message
    kind bind = kind::transient; // said of a session: already bound by our former self, throttled, its own trouble
};

// SMPP 3.4, section 5.1.3, and those of 5.0 that centres of 3.4 answer. Semel always sends ton 1 and npi 1: where a
// destination's are refused, what is wrong is that number.
constexpr auto rows = std::to_array<row>({
    {0x00, "accepted", kind::accepted, kind::accepted},
    {0x01, "invalid message length", kind::ambiguous, kind::lane_stop},
    {0x02, "invalid command length", kind::ambiguous, kind::lane_stop},
    {0x03, "invalid command", kind::lane_stop, kind::lane_stop},
    {0x04, "wrong bind status for this command", kind::lane_stop},
    {0x05, "already bound", kind::lane_stop},
    {0x06, "invalid priority", kind::ambiguous},
    {0x07, "invalid registered delivery", kind::ambiguous},
    {0x08, "system error", kind::unknown}, // failed somewhere inside: it may have kept the message
    {0x0A, "invalid source address", kind::ambiguous},
    {0x0B, "invalid destination address", kind::permanent},
    {0x0C, "invalid message id", kind::ambiguous},
    {0x0D, "bind failed", kind::lane_stop, kind::lane_stop},
    {0x0E, "invalid password", kind::lane_stop, kind::lane_stop},
    {0x0F, "invalid system id", kind::lane_stop, kind::lane_stop},
    {0x11, "cancel failed", kind::ambiguous},
    {0x13, "replace failed", kind::ambiguous},
    {0x14, "message queue full", kind::throttled},
    {0x15, "invalid service type", kind::ambiguous},
    {0x33, "invalid number of destinations", kind::ambiguous},
    {0x34, "invalid distribution list", kind::ambiguous},
    {0x40, "invalid destination flag", kind::ambiguous},
    {0x42, "invalid submit with replace", kind::ambiguous},
    {0x43, "invalid esm_class", kind::ambiguous},
    {0x44, "cannot submit to a distribution list", kind::ambiguous},
    {0x45, "submission failed", kind::transient},
    {0x48, "invalid source type of number", kind::ambiguous},
    {0x49, "invalid source numbering plan", kind::ambiguous},
    {0x50, "invalid destination type of number", kind::permanent},
    {0x51, "invalid destination numbering plan", kind::permanent},
    {0x53, "invalid system type", kind::lane_stop, kind::lane_stop},
    {0x54, "invalid replace flag", kind::ambiguous},
    {0x55, "invalid number of messages", kind::ambiguous},
    {0x58, "throttled", kind::throttled},
    {0x61, "invalid scheduled time", kind::ambiguous},
    {0x62, "invalid validity period", kind::ambiguous},
    {0x63, "unknown predefined message", kind::ambiguous},
    {0x64, "temporary error at the receiver", kind::transient},
    {0x65, "permanent error at the receiver", kind::permanent},
    {0x66, "rejected by the receiver", kind::permanent},
    {0x67, "query failed", kind::ambiguous},
    {0xC0, "error in the optional part", kind::ambiguous},
    {0xC1, "TLV not allowed", kind::ambiguous},
    {0xC2, "invalid TLV length", kind::ambiguous},
    {0xC3, "TLV missing", kind::ambiguous},
    {0xC4, "invalid TLV value", kind::ambiguous},
    {0xFE, "delivery failure", kind::transient},
    {0xFF, "unknown error", kind::unknown}, // as 0x08
});

// Reserved and the vendor's own: centres give them to one number that they dislike as well as to everybody.
constexpr row reserved{0, "refused", kind::ambiguous};
constexpr row of_vendor{0, "a status of the vendor's own", kind::ambiguous};

const row& row_of(std::uint32_t s) noexcept {
    const auto* found = std::ranges::find(rows, s, &row::status);
    if (found != rows.end()) {
        return *found;
    }
    return s >= 0x400 ? of_vendor : reserved;
}

verdict make(kind what, std::uint32_t s) {
    return {
        .what = what, .code = status_code(s), .text = std::string{row_of(s).text}, .message_id = {}, .retry_after = {}};
}

int gravity(kind k) noexcept {
    switch (k) {
    case kind::lane_stop:
        return 5;
    case kind::ambiguous:
        return 4;
    case kind::permanent:
        return 3;
    case kind::throttled:
        return 2;
    case kind::transient:
        return 1;
    default:
        return 0;
    }
}

} // namespace

std::string status_code(std::uint32_t s) {
    return fmt::format("0x{:08X}", s);
}

verdict classify_submit(std::uint32_t s, const std::string& message_id) {
    auto v = make(row_of(s).submit, s);
    if (v.what == kind::accepted) {
        v.message_id = base::to_printable(message_id); // as read_receipt() has it
    } else if (v.what == kind::throttled) {
        v.retry_after = s == status::throttled ? 1s : 5s; // rates are counted by the second; a queue drains slower
    }
    return v;
}

verdict classify_bind(std::uint32_t s) {
    auto v = make(row_of(s).bind, s);
    if (v.what == kind::lane_stop) {
        v.text += "; check system_id, password_file and system_type of this gateway";
    }
    return v;
}

verdict combine(std::span<const verdict> parts) {
    const auto is = [](kind k) { return [k](const verdict& v) { return v.what == k; }; };
    if (std::ranges::all_of(parts, is(kind::accepted))) {
        auto whole = parts.front();
        for (const auto& part : parts.subspan(1)) {
            whole.message_id += ',';
            whole.message_id += part.message_id;
        }
        return whole;
    }
    if (const auto lost = std::ranges::find_if(parts, is(kind::unknown)); lost != parts.end()) {
        return *lost;
    }
    auto gravest = *std::ranges::max_element(parts, {}, [](const verdict& v) { return gravity(v.what); });
    if (std::ranges::any_of(parts, is(kind::accepted))) {
        gravest.what = kind::unknown;
        gravest.retry_after.reset();
        gravest.text = fmt::format("{} of {} parts accepted, then: {}",
                                   std::ranges::count_if(parts, is(kind::accepted)), parts.size(), gravest.text);
    }
    return gravest;
}

} // namespace semel::sms
