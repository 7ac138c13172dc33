#include "release_message.hpp"

#include <base/codes.hpp>
#include <crypto/hash.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace semel::plan {
namespace {

std::string_view code_of(fate how) {
    return how == fate::cancelled ? codes::cancelled : codes::expired;
}

v1::Link::Role role_of(plan::role role) {
    switch (role) {
    case role::own:
        return v1::Link::OWN;
    case role::covered:
        return v1::Link::COVERED;
    case role::told:
        return v1::Link::TOLD_EARLIER;
    }
    return v1::Link::OWN;
}

} // namespace

release_messages::release_messages(const v1::Campaign& campaign, const crypto::campaign_key& key, std::uint32_t wave)
    : campaign_(campaign)
    , key_(key)
    , id_(campaign.id())
    , wave_(wave) {
    for (const auto& ref : campaign.artifacts()) {
        artifacts_.emplace(artifact_key{ref.locale(), ref.channel(), ref.segments(), ref.supplement()}, ref.artifact());
    }
}

base::result<const std::string*> release_messages::artifact_for(const v1::Recipient& recipient, base::channel channel,
                                                                const verdict& v) const {
    // A recipient's locale was resolved at import; the default is for one that the notice has dropped since.
    for (const auto* locale : {&recipient.locale(), &campaign_.default_locale()}) {
        const auto found = artifacts_.find({*locale, wire::to_proto(channel), v.segments, v.supplement});
        if (found != artifacts_.end()) {
            return &found->second;
        }
    }
    return base::failed(base::fault::kind::broken,
                        fmt::format("campaign {} has no {}artifact for channel {}, locale {}, segments {:#x}: compile "
                                    "its notice again (`semel notice check` names what is missing); release waits",
                                    id_.value(), v.supplement ? "supplement " : "", base::to_string(channel),
                                    recipient.locale(), v.segments));
}

v1::Dispatch release_messages::dispatch_of(const v1::Recipient& recipient, const person& p, const verdict& v,
                                           std::string_view notification, const std::string& artifact) const {
    const auto& at = p.places[v.place];
    v1::Delivery delivery;
    *delivery.mutable_address() = recipient.addresses(at.index);
    delivery.set_recipient_id(recipient.recipient_id());
    delivery.set_name(recipient.name());
    *delivery.mutable_slots() = recipient.slots();
    if (at.channel == base::channel::email) {
        *delivery.mutable_thread() = recipient.thread();
    }
    v1::Dispatch d;
    d.set_campaign_id(id_.value());
    d.set_notification(std::string{notification});
    d.set_channel(wire::to_proto(at.channel));
    d.set_attempt(1);
    d.set_artifact(artifact);
    d.set_planned_at_us(campaign_.planned_at_us());
    d.set_wave(wave_);
    d.set_row(recipient.row());
    d.set_recipient_ref(std::string{base::as_view(p.id)});
    d.set_supplement(v.supplement);
    d.set_give_up_us(campaign_.deadline_us());
    d.set_sealed(wire::seal_delivery(key_, notification, delivery));
    return d;
}

v1::Event release_messages::row_event(v1::EventKind kind, std::string_view subject, const v1::Recipient& recipient,
                                      const person& p, base::timestamp now) const {
    v1::Event e;
    e.set_kind(kind);
    e.set_id(wire::event_id(kind, subject, 0, fmt::format("{}|{}|{}", id_.value(), wave_, recipient.row())));
    e.set_campaign_id(id_.value());
    e.set_time_us(base::to_us(now));
    e.set_wave(wave_);
    e.set_row(recipient.row());
    e.set_recipient_ref(std::string{base::as_view(p.id)});
    return e;
}

base::result<void> release_messages::append(released& out, const v1::Recipient& recipient, const person& p,
                                            const decision& d, const portion& part, base::timestamp now) const {
    const std::string ref{base::as_view(p.id)};
    auto told = row_event(d.rejected ? v1::EVENT_RECIPIENT_REPEATED : v1::EVENT_RECIPIENT, ref, recipient, p, now);
    released mine;
    for (const auto& v : d.verdicts) {
        const auto& at = p.places[v.place];
        const auto notification =
            wire::notification_id_of(id_, at.channel, at.key, v.supplement ? std::optional{v.segments} : std::nullopt);
        auto& link = *told.add_links();
        link.set_channel(wire::to_proto(at.channel));
        link.set_notification(std::string{base::as_view(notification)});
        link.set_role(role_of(v.role));
        link.set_supplement(v.supplement);
        const bool goes = part.on.contains(at.channel);
        if (v.role != role::own || (!goes && !part.row)) {
            continue;
        }
        const auto artifact = artifact_for(recipient, at.channel, v);
        if (!artifact) {
            return base::failed(artifact.error());
        }
        link.set_artifact(**artifact);
        if (!goes) {
            continue;
        }
        if (part.how == fate::dispatched) {
            const auto dispatch = dispatch_of(recipient, p, v, base::as_view(notification), **artifact);
            mine.messages.push_back({at.channel, notification, dispatch.SerializeAsString()});
            continue;
        }
        auto failed = row_event(v1::EVENT_FAILED, base::as_view(notification), recipient, p, now);
        failed.set_notification(std::string{base::as_view(notification)});
        failed.set_channel(wire::to_proto(at.channel));
        failed.set_attempt(1);
        failed.set_code(std::string{code_of(part.how)});
        mine.events.push_back(std::move(failed));
    }
    if (part.row) {
        told.set_follows(recipient.follows());
        told.set_sealed(wire::seal_recipient(key_, ref, recipient));
        out.events.push_back(std::move(told));
    }
    std::ranges::move(mine.messages, std::back_inserter(out.messages));
    std::ranges::move(mine.events, std::back_inserter(out.events));
    return {};
}

v1::Event release_messages::dead_letter(std::string_view where, std::string_view reason, std::uint64_t rows,
                                        base::timestamp now) const {
    const auto subject = crypto::sha256(where);
    v1::Event e;
    e.set_kind(v1::EVENT_DEAD_LETTER);
    e.set_id(wire::event_id(v1::EVENT_DEAD_LETTER, base::as_view(subject), 0, id_.value()));
    e.set_campaign_id(id_.value());
    e.set_time_us(base::to_us(now));
    e.set_wave(wave_);
    e.set_text(fmt::format("{}: {}", where, reason));
    e.set_rows(rows);
    return e;
}

} // namespace semel::plan
