#include "doubts.hpp"

#include "doubt.hpp"
#include "evidence.hpp"

#include <base/codes.hpp>
#include <delivery/core/settlement.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <utility>

namespace semel::receipts {

namespace {

constexpr auto default_in_doubt_after = std::chrono::minutes{30};

} // namespace

policy policy_of(const v1::Campaign& c) {
    return {.in_doubt = c.in_doubt(),
            .after = c.in_doubt_after_s() == 0 ? base::duration{default_in_doubt_after}
                                               : base::duration{std::chrono::seconds{c.in_doubt_after_s()}},
            .cancelled = c.phase() == v1::CAMPAIGN_CANCELLED,
            .key_destroyed = c.wrapped_key().empty(),
            .resends = c.has_resends() ? c.resends() : 1};
}

bool is_remembered(const v1::Event& e) {
    switch (e.kind()) {
    case v1::EVENT_ACCEPTED:
    case v1::EVENT_RESENT:
        return true;
    case v1::EVENT_FAILED:
        return !e.gateway().empty(); // no gateway: it was never sent, so nothing can be in doubt about it
    default:
        return false;
    }
}

void remember(history& h, v1::EventKind kind, std::uint32_t attempt) {
    switch (kind) {
    case v1::EVENT_ACCEPTED:
        h.accepted = true;
        break;
    case v1::EVENT_RESENT:
        h.decided_through = std::max(h.decided_through, attempt == 0 ? 0 : attempt - 1);
        break;
    case v1::EVENT_FAILED:
        h.decided_through = std::max(h.decided_through, attempt);
        break;
    default:
        break;
    }
}

void doubts::restore(v1::Doubt d) {
    if (const auto id = base::from_bytes<base::notification_id>(d.notification())) {
        book_.restore(*id, std::move(d));
    }
}

const v1::Doubt* doubts::find(const base::notification_id& id) const {
    const auto found = book_.open().find(id);
    return found == book_.open().end() ? nullptr : &found->second;
}

bool doubts::may_open(const v1::Event& e) const {
    if (e.kind() != v1::EVENT_AWAITING && e.kind() != v1::EVENT_IN_DOUBT) {
        return false;
    }
    // Even if one is open: what comes before this event in the same batch may close it.
    return base::from_bytes<base::notification_id>(e.notification()).has_value();
}

decision doubts::observe(const v1::Event& e, const history& before, const policy_source& policies, const moment& at) {
    const auto id = base::from_bytes<base::notification_id>(e.notification());
    if (!id) {
        return {};
    }
    if (e.kind() == v1::EVENT_AWAITING || e.kind() == v1::EVENT_IN_DOUBT) {
        open_or_merge(e, *id, before, at);
    }
    const auto found = book_.find(*id);
    if (found == book_.end()) {
        return {};
    }
    auto said = on_event(e, found, policies, at.now);
    // Read again from its event, it would lack what came later: that must end it or stand in a record.
    if (e.kind() != v1::EVENT_AWAITING && book_.is_unwritten(*id)) {
        book_.change(found);
    }
    return said;
}

void doubts::take_up(const awaited& some, const std::function<history(const base::notification_id&)>& before,
                     const policy_source& policies, base::timestamp now) {
    for (const auto& [id, told] : some.all()) {
        if (find(id) != nullptr) {
            continue;
        }
        for (const auto& one : told) {
            observe(one.event, before(id), policies, {.told = one.told, .now = now, .offset = one.offset});
        }
    }
    keep();
}

decision doubts::on_event(const v1::Event& e, entry at, const policy_source& policies, base::timestamp now) {
    switch (e.kind()) {
    case v1::EVENT_ACCEPTED: {
        decision d;
        if (is_resent(at->second) && e.attempt() < at->second.resent_as()) {
            d.superseded = at->first;
        }
        book_.remove(at);
        return d;
    }
    case v1::EVENT_FAILED:
        return on_failed(e, at);
    case v1::EVENT_DEFERRED:
        return on_deferred(e, at, now);
    case v1::EVENT_RECEIPT:
        return on_receipt(e, at, now);
    case v1::EVENT_RESOLVED:
        return on_resolved(e, at, policies, now);
    default:
        return {};
    }
}

void doubts::open_or_merge(const v1::Event& e, const base::notification_id& id, const history& before,
                           const moment& at) {
    // Not the event's own date. With a dispatcher's clock behind, its doubts would be decided at once; with a clock
    // ahead, they would stay open for hours, and today's receipts would be too old for them.
    const auto since_us = base::to_us(std::min(at.told, at.now));
    const bool awaiting = e.kind() == v1::EVENT_AWAITING;
    auto found = book_.find(id);
    bool unwritten = false;
    if (found == book_.end()) {
        if (before.accepted || e.attempt() <= before.decided_through) {
            return;
        }
        v1::Dispatch sent;
        unwritten = awaiting && sent.ParseFromString(e.dispatch()) && !sent.resend();
        found = book_.add(id, unwritten ? at.offset : std::nullopt);
    } else {
        const auto& d = found->second;
        if (awaiting && book_.is_unwritten(id) && e.attempt() == d.attempt()) {
            return; // told again
        }
        if (e.attempt() == d.attempt()) {
            // The same attempt told twice or in another order: the earlier time and the graver word stand.
            auto& same = book_.change(found);
            same.set_since_us(std::min(same.since_us(), since_us));
            same.set_awaiting(same.awaiting() && awaiting);
            if (same.gateway().empty()) {
                same.set_gateway(e.gateway());
            }
            if (same.parts() == 0) {
                same.set_parts(e.parts());
            }
            return;
        }
        if (e.attempt() < last_attempt(d) || e.attempt() <= before.decided_through) {
            return;
        }
    }
    auto& d = book_.is_unwritten(id) && unwritten ? found->second : book_.change(found);
    const bool alone = d.refused() && !has_open_copy(d); // every copy before is known to have been refused
    const auto resends = d.resends();
    d.Clear();
    d.set_campaign_id(e.campaign_id());
    d.set_notification(e.notification());
    d.set_attempt(e.attempt());
    d.set_gateway(e.gateway());
    d.set_since_us(since_us);
    d.set_awaiting(awaiting);
    d.set_dispatch(e.dispatch());
    d.set_parts(e.parts());
    auto dispatch = dispatch_of(d);
    d.set_resends(std::max(resends, dispatch.resends()));
    if (alone) {
        dispatch.set_resend(false);
        d.set_dispatch(dispatch.SerializeAsString());
    }
}

decision doubts::on_failed(const v1::Event& e, entry at) {
    const auto& d = at->second;
    if (e.attempt() < d.attempt()) {
        return {};
    }
    if (e.attempt() == d.attempt()) {
        return on_refused_for_good(e, at);
    }
    if (d.resent_as() == 0) {
        book_.remove(at); // a later attempt exists only because this one was decided
        return {};
    }
    if (e.attempt() < d.resent_as() || !is_resent(d)) {
        return {}; // told again
    }
    book_.change(at).set_resent_as(e.attempt());
    if (!has_open_copy(d)) {
        return settle_as_failed(e, at);
    }
    // Turned away before it went, or refused: of the copy before, that says nothing.
    const bool turned_away = e.gateway().empty() || e.code() == codes::expired;
    return leave_unresolved(at, turned_away ? e.code() : codes::resend_refused,
                            turned_away
                                ? "sent again in vain: the resend was turned away, or refused until its time was up"
                                : "sent again in vain: the gateway refused the resend, and the copy before may have "
                                  "arrived",
                            base::from_us(e.time_us()));
}

/// The late answer to the copy in doubt.
decision doubts::on_refused_for_good(const v1::Event& e, entry at) {
    const auto& d = at->second;
    if (!is_resent(d) && !dispatch_of(d).resend()) {
        return settle_as_failed(e, at);
    }
    if (d.refused()) {
        return {};
    }
    book_.change(at).set_refused(true);
    if (is_resent(d) || d.unresolved() || d.presumed()) {
        return {}; // what becomes of the resend decides, or an approver
    }
    return leave_unresolved(at, codes::resend_refused,
                            "the gateway's late answer refuses the resend, and the copy before may have arrived",
                            base::from_us(e.time_us()));
}

decision doubts::on_deferred(const v1::Event& e, entry at, base::timestamp now) {
    auto& d = at->second;
    if (e.attempt() != d.attempt() || d.refused()) {
        return {}; // an ordinary deferral, of a resend: its retry record is written
    }
    // The gateway's late answer: certainly not accepted. The dispatcher leaves the next attempt to us.
    if (d.resent_as() != 0) {
        if (is_resent(d) || dispatch_of(d).resend()) {
            book_.change(at).set_refused(true);
            return {};
        }
        return settle_as_failed(e, at);
    }
    auto dispatch = dispatch_of(d);
    if (dispatch.notification().empty()) {
        return leave_unresolved(at, codes::no_record, "not accepted, and there is no record to send again", now);
    }
    auto& refused = book_.change(at);
    refused.set_refused(true);
    refused.set_awaiting(false);
    refused.set_unresolved(false);
    refused.set_presumed(false);
    refused.set_resent_as(d.attempt() + 1);
    const auto tier = delivery::tier_after(dispatch.tries() + 1);
    dispatch.set_attempt(refused.resent_as());
    dispatch.set_tries(dispatch.tries() + 1);
    dispatch.clear_waits_for(); // no lane has been asked
    dispatch.set_not_before_us(base::to_us(now + wire::tiers[tier].wait));
    decision out;
    auto& told = out.events.emplace_back(event_of(v1::EVENT_RESENT, refused, refused.resent_as(), now));
    told.set_code(codes::refused_late);
    told.set_text("the gateway's late answer says that it did not accept attempt " + std::to_string(refused.attempt()));
    out.resends.push_back({std::move(dispatch), tier});
    return out;
}

/// An SMS of several parts was accepted when each of them was, and every part has a receipt of its own. Of how many
/// parts it is nobody may know: then no receipt proves it.
bool doubts::is_proven_whole(const v1::Event& e, entry at) {
    const auto& d = at->second;
    if (e.channel() != v1::CHANNEL_SMS || d.parts() == 1) {
        return true;
    }
    if (std::ranges::find(d.proven(), e.gateway_message_id()) == d.proven().end()) {
        book_.change(at).add_proven(e.gateway_message_id());
    }
    return d.parts() != 0 && static_cast<std::uint32_t>(d.proven_size()) >= d.parts();
}

decision doubts::on_receipt(const v1::Event& e, entry at, base::timestamp now) {
    const auto& d = at->second;
    if (!proves_acceptance(e.receipt())) {
        return {};
    }
    if (!is_proven_whole(e, at)) {
        return {};
    }
    decision out;
    if (is_resent(d)) {
        out.superseded = at->first;
    }
    const auto attempt = e.attempt() == 0 ? d.attempt() : e.attempt();
    auto& told = out.events.emplace_back(event_of(v1::EVENT_ACCEPTED, d, attempt, now));
    told.set_code(codes::receipt);
    told.set_text(e.text().find(inferred_mark) == std::string::npos
                      ? "a receipt proves it"
                      : "a receipt proves it; " + std::string{inferred_mark});
    told.set_gateway(e.gateway());
    told.set_gateway_message_id(e.gateway_message_id());
    told.set_parts(d.parts());
    if (e.channel() == v1::CHANNEL_SMS) {
        told.set_dispatch(d.dispatch()); // tells the number, which later receipts of it are compared with
    }
    book_.remove(at);
    return out;
}

/// No copy is open any more. A dispatcher's word about a resend is about that copy alone, and one about an earlier
/// attempt is outranked: where only these were said, the end of the whole is told here.
decision doubts::settle_as_failed(const v1::Event& because, entry at) {
    const auto& d = at->second;
    decision out;
    if (because.resend() || because.attempt() < last_attempt(d)) {
        auto& told = out.events.emplace_back(
            event_of(v1::EVENT_FAILED, d, last_attempt(d), base::from_us(because.time_us()), "every copy"));
        told.set_code(codes::every_copy_refused);
        told.set_text("a late answer says that the copy in doubt was refused as well; the last answer was: " +
                      because.code());
    }
    book_.remove(at);
    return out;
}

} // namespace semel::receipts
