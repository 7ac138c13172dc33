#include "late_report.hpp"

#include <base/time.hpp>
#include <semel/v1/delivery.pb.h>

#include <fmt/format.h>
#include <sms/core/addressing.hpp>

namespace semel::sms {

namespace {

int receipt_state(message_state s) noexcept {
    switch (s) {
    case message_state::delivered:
        return v1::RECEIPT_DELIVERED;
    case message_state::expired:
    case message_state::deleted:
    case message_state::undeliverable:
    case message_state::rejected:
    case message_state::skipped:
        return v1::RECEIPT_BOUNCED;
    case message_state::scheduled:
    case message_state::enroute:
    case message_state::accepted:
        return v1::RECEIPT_INTERMEDIATE;
    case message_state::unknown:
        return v1::RECEIPT_UNKNOWN;
    }
    return v1::RECEIPT_UNKNOWN;
}

/// The handset's number in E.164, as it was sent; empty where it is hidden. A receipt travels the other way, so it is
/// the source; some centres leave the addresses as they were in the submit_sm.
std::string handset_of(const config::smpp& centre, const message& m) {
    const auto ours = source(centre.source_address);
    const bool unturned = ours && m.source == ours->digits && m.destination != ours->digits;
    const auto number = destination(unturned ? m.destination : m.source);
    return number ? '+' + number->digits : std::string{};
}

} // namespace

delivery::late_report as_report(const std::string& gateway, const config::smpp& centre, const message& m,
                                const receipt& r) {
    delivery::late_report out;
    out.gateway = gateway;
    out.message_id = r.message_id;
    out.state = receipt_state(r.state);
    const auto word = r.word.empty() ? std::string{to_string(r.state)} : r.word;
    out.code = r.error.empty() ? word : fmt::format("{} {}", word, r.error);
    if (const auto* ref = m.find(tag::user_message_reference); ref != nullptr && ref->size() == 2) {
        out.user_message_reference = static_cast<std::uint16_t>(static_cast<std::uint8_t>((*ref)[0]) << 8U |
                                                                static_cast<std::uint8_t>((*ref)[1]));
    }
    out.destination = handset_of(centre, m);
    out.time = base::now();
    return out;
}

} // namespace semel::sms
