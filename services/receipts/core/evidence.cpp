#include "evidence.hpp"

#include <wire/identity.hpp>

namespace semel::receipts {

namespace {

constexpr std::size_t longest_id = 500; // an index entry of PostgreSQL has room for 2,700 bytes

v1::ReceiptState state_of(const v1::GatewayReceipt& r) {
    return v1::ReceiptState_IsValid(static_cast<int>(r.state())) ? static_cast<v1::ReceiptState>(r.state())
                                                                 : v1::RECEIPT_UNSPECIFIED;
}

} // namespace

bool proves_acceptance(v1::ReceiptState s) noexcept {
    switch (s) {
    case v1::RECEIPT_DELIVERED:
    case v1::RECEIPT_BOUNCED:
    case v1::RECEIPT_COMPLAINED:
    case v1::RECEIPT_READ:
    case v1::RECEIPT_INTERMEDIATE:
        return true;
    default:
        return false;
    }
}

std::string_view name_of(v1::ReceiptState s) noexcept {
    switch (s) {
    case v1::RECEIPT_DELIVERED:
        return "delivered";
    case v1::RECEIPT_BOUNCED:
        return "bounced";
    case v1::RECEIPT_COMPLAINED:
        return "complained";
    case v1::RECEIPT_READ:
        return "read";
    case v1::RECEIPT_INTERMEDIATE:
        return "intermediate";
    default:
        return "unknown";
    }
}

v1::Event receipt_event(const v1::GatewayReceipt& r, const subject& about, base::timestamp now, bool inferred) {
    const auto state = state_of(r);
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_RECEIPT, about.notification, 0,
                            std::to_string(state) + "|" + r.code() + "|" + r.message_id()));
    e.set_kind(v1::EVENT_RECEIPT);
    e.set_campaign_id(about.campaign);
    e.set_time_us(r.time_us() == 0 ? base::to_us(now) : r.time_us());
    e.set_notification(about.notification);
    e.set_channel(about.channel);
    e.set_attempt(about.attempt);
    e.set_gateway(r.gateway());
    e.set_code(r.code());
    e.set_text(r.text());
    if (inferred) {
        e.set_text(r.text().empty() ? std::string{inferred_mark} : r.text() + "; " + std::string{inferred_mark});
    }
    e.set_gateway_message_id(r.message_id());
    e.set_receipt(state);
    e.set_test(about.test);
    return e;
}

std::optional<std::string> complaint(const v1::GatewayReceipt& r) {
    const auto bad = [](const std::string& s) { return s.size() > longest_id || s.find('\0') != std::string::npos; };
    if (r.gateway().empty() || bad(r.gateway())) {
        return "it names no gateway";
    }
    if (bad(r.message_id()) || bad(r.code())) {
        return "its message id or code is longer than 500 bytes or holds a zero byte";
    }
    const auto named = r.notification().size();
    if (named != 0 && named != 16 && named != 32) {
        return "its notification has neither 16 nor 32 bytes";
    }
    // A centre's report that nobody can read is kept, and listed as one that matches nothing.
    if (r.message_id().empty() && named == 0 && r.channel() != v1::CHANNEL_SMS) {
        return "it names neither a message id nor a notification";
    }
    if (state_of(r) == v1::RECEIPT_UNSPECIFIED) {
        return "its state is not one that this version knows";
    }
    return std::nullopt;
}

} // namespace semel::receipts
