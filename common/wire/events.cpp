#include "events.hpp"

#include "identity.hpp"

#include <base/bytes.hpp>
#include <base/ids.hpp>
#include <crypto/hash.hpp>

#include <utility>

namespace semel::wire {

v1::Event event_of(v1::EventKind kind, const v1::Dispatch& d, base::timestamp when, std::string_view discriminator) {
    v1::Event e;
    e.set_id(event_id(kind, d.notification(), d.attempt(), discriminator));
    e.set_kind(kind);
    e.set_campaign_id(d.campaign_id());
    e.set_time_us(base::to_us(when));
    e.set_notification(d.notification());
    e.set_channel(d.channel());
    e.set_attempt(d.attempt());
    e.set_wave(d.wave());
    e.set_row(d.row());
    e.set_recipient_ref(d.recipient_ref());
    e.set_test(d.test());
    e.set_resend(d.resend());
    return e;
}

void keep_for_resend(v1::Event& e, const v1::Dispatch& d) {
    e.set_dispatch(d.SerializeAsString());
}

void keep_number(v1::Event& e, const v1::Dispatch& d) {
    if (d.channel() != v1::CHANNEL_SMS) {
        return;
    }
    v1::Dispatch slim;
    slim.set_campaign_id(d.campaign_id());
    slim.set_notification(d.notification());
    slim.set_channel(d.channel());
    slim.set_sealed(d.sealed());
    e.set_dispatch(slim.SerializeAsString());
}

void tell(v1::Event& e, said s) {
    e.set_code(base::to_printable(s.code));
    e.set_text(base::to_printable(s.text));
    e.set_gateway(std::move(s.gateway));
    e.set_gateway_message_id(base::to_printable(s.message_id));
    e.set_content_sha256(std::move(s.content_sha256));
}

std::int32_t partition_of(const v1::Event& e, std::int32_t partitions) noexcept {
    if (!e.notification().empty() || !e.recipient_ref().empty()) {
        return base::partition_of(e.notification().empty() ? e.recipient_ref() : e.notification(), partitions);
    }
    const auto digest = crypto::sha256(e.campaign_id());
    return base::partition_of(base::as_view(digest), partitions);
}

void event_batches::add(const v1::Event& e) {
    const auto p = partition_of(e, partitions_);
    auto& o = open_[p];
    *o.batch.add_events() = e;
    o.bytes += e.ByteSizeLong();
    if (o.bytes >= limit_) {
        full_.push_back({.partition = p, .value = o.batch.SerializeAsString()});
        open_.erase(p);
    }
}

std::vector<event_batches::record> event_batches::take() {
    for (const auto& [p, o] : std::exchange(open_, {})) {
        full_.push_back({.partition = p, .value = o.batch.SerializeAsString()});
    }
    return std::exchange(full_, {});
}

} // namespace semel::wire
