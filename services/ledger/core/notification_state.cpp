#include "notification_state.hpp"

#include <base/codes.hpp>

#include <algorithm>

namespace semel::ledger {
namespace {

// Far beyond any number of attempts, and safe in 32 bits.
constexpr std::uint32_t most_attempts = 1U << 24U;

notification_state at(const v1::Event& e, step s) {
    const auto attempt = static_cast<std::int32_t>(std::min(e.attempt(), most_attempts));
    return {attempt * 8 + static_cast<std::int32_t>(s), 0};
}

/// The attempt before is decided: by a new one, which may be a second copy, unless the gateway had refused it.
notification_state resent(const v1::Event& e) {
    auto before = e;
    before.set_attempt(e.attempt() == 0 ? 0 : e.attempt() - 1);
    auto state = at(before, step::resent);
    state.seen = e.code() == codes::refused_late ? 0 : fact_resent;
    return state;
}

std::optional<notification_state> seen(int facts) {
    return notification_state{0, static_cast<std::uint8_t>(facts)};
}

std::optional<notification_state> reported(v1::ReceiptState what) {
    switch (what) {
    case v1::RECEIPT_DELIVERED:
    case v1::RECEIPT_READ:
        return seen(fact_delivered);
    case v1::RECEIPT_COMPLAINED:
        return seen(fact_delivered | fact_complained);
    case v1::RECEIPT_BOUNCED:
        return seen(fact_bounced);
    default:
        return std::nullopt;
    }
}

} // namespace

std::uint8_t facts_of_parts(std::uint32_t parts, std::span<const part_reports> reported) noexcept {
    const auto delivered = static_cast<std::size_t>(std::ranges::count_if(reported, &part_reports::delivered));
    const bool lost = std::ranges::any_of(reported, [](const auto& p) { return p.bounced && !p.delivered; });
    return static_cast<std::uint8_t>((delivered >= std::max(parts, 1U) ? fact_delivered : 0) |
                                     (lost ? fact_bounced : 0));
}

std::optional<notification_state> state_of(const v1::Event& e) noexcept {
    if (e.test()) {
        return std::nullopt;
    }
    switch (e.kind()) {
    case v1::EVENT_ACCEPTED:
        return seen(fact_accepted);
    case v1::EVENT_FAILED:
        return at(e, e.resend() ? step::unresolved : step::failed);
    case v1::EVENT_DEFERRED:
        return at(e, step::deferred);
    case v1::EVENT_AWAITING:
        return at(e, step::awaiting);
    case v1::EVENT_IN_DOUBT:
        return at(e, step::in_doubt);
    case v1::EVENT_RESENT:
        return resent(e);
    case v1::EVENT_PRESUMED_SENT:
        return at(e, step::presumed_sent);
    case v1::EVENT_UNRESOLVED:
        return at(e, step::unresolved);
    case v1::EVENT_RECEIPT:
        // It may be of one part: the store counts it with what is known of the others.
        return e.channel() == v1::CHANNEL_SMS ? seen(0) : reported(e.receipt());
    default:
        return std::nullopt;
    }
}

line line_of(notification_state s) noexcept {
    // A report alone says nothing about the message as a whole: it may be of one part of an SMS. Where it proves that a
    // message in doubt was accepted, receipts says so.
    if ((s.seen & fact_accepted) != 0) {
        return (s.seen & fact_bounced) != 0 && (s.seen & fact_delivered) == 0 ? line::failed : line::accepted;
    }
    switch (static_cast<step>(s.progress % 8)) {
    case step::none:
    case step::awaiting:
        return line::outstanding;
    case step::in_doubt:
        return line::doubtful;
    case step::deferred:
    case step::resent:
        return line::retrying;
    case step::unresolved:
        return line::unresolved;
    case step::presumed_sent:
        return line::presumed_sent;
    case step::failed:
        return line::failed;
    }
    return line::outstanding;
}

} // namespace semel::ledger
