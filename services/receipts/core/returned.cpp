#include "returned.hpp"

#include <base/bytes.hpp>

#include <algorithm>
#include <string>

namespace semel::receipts {

namespace {

v1::ReceiptState state_of(bounce::kind k) noexcept {
    switch (k) {
    case bounce::kind::failed:
        return v1::RECEIPT_BOUNCED;
    case bounce::kind::delayed:
        return v1::RECEIPT_INTERMEDIATE;
    case bounce::kind::delivered:
        return v1::RECEIPT_DELIVERED;
    case bounce::kind::complaint:
        return v1::RECEIPT_COMPLAINED;
    case bounce::kind::automatic: // anybody who can write may have sent it, and it says nothing
    case bounce::kind::unknown:
        break;
    }
    return v1::RECEIPT_UNKNOWN;
}

/// A word that machines give: what else stands in its place may be an address.
std::string word_of(std::string_view text) {
    constexpr std::size_t longest = 32;
    const auto fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; };
    return text.size() <= longest && std::ranges::all_of(text, fine) ? std::string{text} : std::string{};
}

/// Why, of the first recipient of whom what holds of the whole is said.
std::string code_of(const bounce& b) {
    if (b.what == bounce::kind::complaint) {
        return word_of(b.feedback_type);
    }
    const auto one = std::ranges::find(b.recipients, b.what, &bounce::recipient::what);
    return one == b.recipients.end() ? std::string{} : word_of(one->status);
}

} // namespace

v1::GatewayReceipt report_of(const bounce& b, const return_address& path, base::timestamp now) {
    v1::GatewayReceipt r;
    r.set_gateway(path.gateway);
    r.set_channel(v1::CHANNEL_EMAIL);
    r.set_state(state_of(b.what));
    r.set_code(code_of(b));
    r.set_text(std::string{"a mail came back: "} + std::string{to_string(b.what)});
    r.set_time_us(base::to_us(now));
    r.set_notification(std::string{base::as_view(path.notification)});
    return r;
}

} // namespace semel::receipts
