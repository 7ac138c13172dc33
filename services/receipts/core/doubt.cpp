#include "doubt.hpp"

#include <wire/identity.hpp>

#include <algorithm>

namespace semel::receipts {

bool is_resent(const v1::Doubt& d) {
    return d.resent_as() != 0 && !d.unresolved() && !d.presumed();
}
bool is_undecided(const v1::Doubt& d) {
    return !d.awaiting() && d.resent_as() == 0 && !d.unresolved() && !d.presumed();
}
std::uint32_t last_attempt(const v1::Doubt& d) {
    return std::max(d.attempt(), d.resent_as());
}

v1::Dispatch dispatch_of(const v1::Doubt& d) {
    v1::Dispatch dispatch;
    if (!dispatch.ParseFromString(d.dispatch())) {
        dispatch.Clear();
    }
    return dispatch;
}

bool has_open_copy(const v1::Doubt& d) {
    return !d.refused() || dispatch_of(d).resend();
}

v1::Event event_of(v1::EventKind kind, const v1::Doubt& d, std::uint32_t attempt, base::timestamp now,
                   std::string_view discriminator) {
    const auto dispatch = dispatch_of(d);
    v1::Event e;
    e.set_id(wire::event_id(kind, d.notification(), attempt, discriminator));
    e.set_kind(kind);
    e.set_campaign_id(d.campaign_id());
    e.set_time_us(base::to_us(now));
    e.set_notification(d.notification());
    e.set_channel(dispatch.channel());
    e.set_attempt(attempt);
    e.set_gateway(d.gateway());
    e.set_wave(dispatch.wave());
    e.set_row(dispatch.row());
    e.set_recipient_ref(dispatch.recipient_ref());
    e.set_test(dispatch.test());
    return e;
}

} // namespace semel::receipts
