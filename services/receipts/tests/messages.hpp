#pragma once
// What dispatchers and gateways say in these tests.

#include "stage.hpp"

#include <correlation/number_hash.hpp>

#include <optional>
#include <string>
#include <utility>

namespace semel::receipts::testing {

inline std::string new_notification() {
    return crypto::random_bytes(32);
}

struct message {
    std::string campaign;
    std::string notification = new_notification();
    std::string phone = "+821000000000";
    std::optional<crypto::campaign_key> key = {}; // of its campaign, when receipts does not have it

    v1::Event event(const stage& on, v1::EventKind kind, std::uint32_t attempt = 1) const {
        v1::Event e;
        e.set_id(wire::event_id(kind, notification, attempt));
        e.set_kind(kind);
        e.set_campaign_id(campaign);
        e.set_notification(notification);
        e.set_channel(v1::CHANNEL_SMS);
        e.set_attempt(attempt);
        e.set_time_us(base::to_us(base::now()));
        e.set_gateway("smsc-a");
        if (kind == v1::EVENT_IN_DOUBT || kind == v1::EVENT_AWAITING) {
            v1::Dispatch d;
            d.set_campaign_id(campaign);
            d.set_notification(notification);
            d.set_channel(v1::CHANNEL_SMS);
            d.set_attempt(attempt);
            v1::Delivery person;
            person.mutable_address()->set_canonical(phone);
            d.set_sealed(wire::seal_delivery(key.value_or(on.key()), notification, person));
            e.set_dispatch(d.SerializeAsString());
            e.set_parts(1);
        }
        return e;
    }
    v1::Event accepted(const stage& on, std::string id, std::uint32_t attempt = 1) const {
        auto e = event(on, v1::EVENT_ACCEPTED, attempt);
        e.set_gateway_message_id(std::move(id));
        return e;
    }
};

inline v1::GatewayReceipt receipt(std::string id, v1::ReceiptState state = v1::RECEIPT_DELIVERED,
                                  std::string code = "000") {
    v1::GatewayReceipt r;
    r.set_gateway("smsc-a");
    r.set_channel(v1::CHANNEL_SMS);
    r.set_message_id(std::move(id));
    r.set_state(state);
    r.set_code(std::move(code));
    r.set_time_us(base::to_us(base::now()));
    return r;
}

inline v1::GatewayReceipt receipt_for(const stage& on, const message& m, std::string id) {
    auto r = receipt(std::move(id));
    r.set_destination_hash(correlation::number_hash(on.destinations(), m.phone));
    r.set_user_message_reference(static_cast<std::uint32_t>(static_cast<unsigned char>(m.notification[0]) << 8U |
                                                            static_cast<unsigned char>(m.notification[1])));
    return r;
}

inline v1::Event decision_of(const message& m, const stage& on, std::string code) {
    auto e = m.event(on, v1::EVENT_RESOLVED);
    e.set_code(std::move(code));
    e.set_actor("alice");
    return e;
}

/// Accepted, as the dispatcher says it of an SMS.
inline v1::Event accepted_sms(const stage& on, const message& m, std::string id) {
    auto e = m.accepted(on, std::move(id));
    e.set_dispatch(m.event(on, v1::EVENT_IN_DOUBT).dispatch());
    return e;
}

/// The report of a message as a centre spells its id, from its number and without a reference.
inline v1::GatewayReceipt reported(const stage& on, const message& m, std::string id) {
    auto r = receipt_for(on, m, std::move(id));
    r.clear_user_message_reference();
    return r;
}

} // namespace semel::receipts::testing
