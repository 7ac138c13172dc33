#include "rendering.hpp"

#include <crypto/keys.hpp>
#include <notice/compile.hpp>
#include <notice/sms_text.hpp>
#include <wire/identity.hpp>

#include <correlation/verification_code.hpp>

namespace semel::api {
namespace {

using base::failed;
using base::fault;

const v1::Address* address_of(const v1::Campaign& c, const crypto::campaign_key& key, const v1::Recipient& recipient,
                              const std::string& notification, const v1::Artifact& artifact) {
    const auto supplement = artifact.supplement() ? std::optional{artifact.segments()} : std::nullopt;
    for (const auto& address : recipient.addresses()) {
        const auto channel = wire::from_proto(address.channel());
        if (!channel) {
            continue;
        }
        const auto dedup = wire::dedup_key_of(key, c.dedup(), *channel, base::recipient_id{recipient.recipient_id()},
                                              address.canonical());
        const auto id = wire::notification_id_of(base::campaign_id{c.id()}, *channel, dedup, supplement);
        if (base::as_view(id) == notification) {
            return &address;
        }
    }
    return nullptr;
}

} // namespace

std::string verification_of(const v1::Campaign& c, const crypto::campaign_key& key, const v1::Artifact& a) {
    const auto channel = wire::from_proto(a.channel());
    return channel ? correlation::verification_code::of(key, base::campaign_id{c.id()}, *channel, a.locale()).grouped()
                   : std::string{};
}

base::result<notice::content> render_again(const v1::Campaign& c, const v1::NoticeSource& stored,
                                           const crypto::campaign_key& key, const v1::Recipient& recipient,
                                           const std::string& notification, const std::string& artifact_id) {
    const notice::files files{stored.files().begin(), stored.files().end()};
    const auto parsed = notice::parse(files);
    for (const auto& compiled : notice::compile(parsed.source, notice::digest_of(files))) {
        if (compiled.ref.artifact() != artifact_id) {
            continue;
        }
        const auto* address = address_of(c, key, recipient, notification, compiled.artifact);
        const auto id = base::from_bytes<base::notification_id>(notification);
        if (address == nullptr || !id) {
            return failed(fault::kind::permanent, "the recorded address does not give this notification's id");
        }
        v1::Delivery delivery;
        *delivery.mutable_address() = *address;
        delivery.set_recipient_id(recipient.recipient_id());
        delivery.set_name(recipient.name());
        *delivery.mutable_slots() = recipient.slots();
        *delivery.mutable_thread() = recipient.thread();
        // As the dispatchers do: no message carries a deadline that nobody chose, because a launch may move that one.
        const bool chosen = c.deadline_us() != 0 && c.deadline_basis().empty();
        const auto give_up = chosen ? std::optional{base::from_us(c.deadline_us())} : std::nullopt;
        auto code = verification_of(c, key, compiled.artifact);
        const notice::values values{.campaign = base::campaign_id{c.id()},
                                    .notification = *id,
                                    .planned_at = base::from_us(c.planned_at_us()),
                                    .delivery = &delivery,
                                    .test = false,
                                    .give_up = give_up,
                                    .verification = std::move(code)};
        return notice::fill(compiled.artifact, values);
    }
    return failed(fault::kind::permanent, "the stored notice does not compile to the recorded artifact");
}

std::string printable(const std::string& part, std::uint8_t data_coding, std::string_view channel) {
    return channel == "sms" ? notice::decode_part(part, data_coding) : part;
}

} // namespace semel::api
