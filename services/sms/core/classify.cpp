#include "classify.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <sms/core/pdu.hpp>

#include <algorithm>
#include <chrono>

namespace semel::sms {

namespace {

using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

std::string_view meaning(std::uint32_t s) noexcept {
    switch (s) {
    case 0x01:
        return "invalid message length";
    case 0x02:
        return "invalid command length";
    case 0x03:
        return "invalid command";
    case 0x04:
        return "wrong bind status for this command";
    case 0x05:
        return "already bound";
    case 0x08:
        return "system error";
    case 0x0A:
        return "invalid source address";
    case 0x0B:
        return "invalid destination address";
    case 0x0D:
        return "bind failed";
    case 0x0E:
        return "invalid password";
    case 0x0F:
        return "invalid system id";
    case 0x14:
        return "message queue full";
    case 0x45:
        return "submission failed";
    case 0x51:
        return "invalid destination numbering plan or type";
    case 0x58:
        return "throttled";
    case 0x61:
        return "invalid scheduled time";
    case 0x62:
        return "invalid validity period";
    case 0x64:
        return "temporary error at the receiver";
    case 0x65:
        return "permanent error at the receiver";
    case 0x66:
        return "rejected by the receiver";
    case 0xFE:
        return "delivery failure";
    case 0xFF:
        return "unknown error";
    default:
        return s >= 0x400 ? "a status of the vendor's own" : "refused";
    }
}

verdict make(kind what, std::uint32_t s) {
    return {.what = what, .code = status_code(s), .text = std::string{meaning(s)}, .message_id = {}, .retry_after = {}};
}

kind submit_kind(std::uint32_t s) noexcept {
    switch (s) {
    case status::ok:
        return kind::accepted;
    case status::throttled:
    case status::queue_full:
        return kind::throttled;
    case status::system_error: // the centre failed somewhere inside: it may have kept the message
    case 0xFF:                 // unknown error: the same
        return kind::unknown;
    case status::submit_failed:
    case status::receiver_temporary:
    case 0xFE:
        return kind::transient;
    case status::invalid_destination:
    case 0x51: // Semel always sends ton 1, npi 1: what is wrong is this number
    case 0x50:
    case status::receiver_permanent:
    case status::receiver_reject:
        return kind::permanent;
    case status::invalid_command:
    case 0x04: // wrong bind status
    case 0x05: // already bound
    case status::bind_failed:
    case status::invalid_password:
    case status::invalid_system_id:
    case 0x53:                  // invalid system type
        return kind::lane_stop; // of the session; no number can mean it
    default:
        // Syntax, source address, TLVs, times, reserved and the vendor's own codes: centres give them to one number
        // that they dislike as well as to everybody.
        return kind::ambiguous;
    }
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
    auto v = make(submit_kind(s), s);
    if (v.what == kind::accepted) {
        v.text = "accepted";
        v.message_id = base::to_printable(message_id); // as read_receipt() has it
    } else if (v.what == kind::throttled) {
        v.retry_after = s == status::throttled ? 1s : 5s; // rates are counted by the second; a queue drains slower
    }
    return v;
}

verdict classify_bind(std::uint32_t s) {
    switch (s) {
    case status::bind_failed:
    case status::invalid_password:
    case status::invalid_system_id:
    case status::invalid_command:
    case 0x01:
    case 0x02:
    case 0x53: // invalid system type
        break;
    default: // already bound by our former self, throttled, system error: a bind has no message to lose
        return make(kind::transient, s);
    }
    auto v = make(kind::lane_stop, s);
    v.text += "; check system_id, password_file and system_type of this gateway";
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
