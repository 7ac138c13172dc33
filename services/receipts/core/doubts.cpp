#include "doubts.hpp"

#include "evidence.hpp"

#include <delivery/settlement.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <utility>

namespace semel::receipts {

namespace {

constexpr auto default_in_doubt_after = std::chrono::minutes{30};

/// A resend is on its way or was sent, and its outcome will settle the doubt.
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

/// Another copy than the latest may have arrived: the one in doubt, or, where that one was a resend itself, the one
/// before it.
bool has_open_copy(const v1::Doubt& d) {
    return !d.refused() || dispatch_of(d).resend();
}

v1::Event event_of(v1::EventKind kind, const v1::Doubt& d, std::uint32_t attempt, base::timestamp now,
                   std::string_view discriminator = {}) {
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

/// Why a message in doubt must not be sent again, as a code; empty: it may.
std::string forbids_resend(const v1::Dispatch& d, const std::optional<policy>& p, base::timestamp now) {
    if (d.notification().empty()) {
        return "semel:no-record";
    }
    if (!p) {
        return "semel:campaign-unknown";
    }
    if (p->key_destroyed) {
        return "semel:key-destroyed";
    }
    if (d.test()) {
        return {};
    }
    if (p->cancelled) {
        return "semel:cancelled";
    }
    // It would fail with the dispatcher, and a failure would hide that an earlier attempt may have arrived.
    if (d.give_up_us() != 0 && now + wire::tiers[0].wait > base::from_us(d.give_up_us())) {
        return "semel:expired";
    }
    return {};
}

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
        open_.insert_or_assign(*id, std::move(d));
    }
}

const v1::Doubt* doubts::find(const base::notification_id& id) const {
    const auto found = open_.find(id);
    return found == open_.end() ? nullptr : &found->second;
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
        // Not the event's own date: a dispatcher whose clock is behind would have its doubts decided at once, and those
        // of one whose clock is ahead would stay open for hours, with receipts of today too old for them.
        open_or_merge(e, *id, before, std::min(at.told, at.now));
        return {};
    }
    const auto found = open_.find(*id);
    if (found == open_.end()) {
        return {};
    }
    switch (e.kind()) {
    case v1::EVENT_ACCEPTED: {
        decision d;
        if (is_resent(found->second) && e.attempt() < found->second.resent_as()) {
            d.superseded = *id;
        }
        settle(found);
        return d;
    }
    case v1::EVENT_FAILED:
        return on_failed(e, found);
    case v1::EVENT_DEFERRED:
        return on_deferred(e, found, at.now);
    case v1::EVENT_RECEIPT:
        return on_receipt(e, found, at.now);
    case v1::EVENT_RESOLVED:
        return on_resolved(e, found, policies, at.now);
    default:
        return {};
    }
}

void doubts::open_or_merge(const v1::Event& e, const base::notification_id& id, const history& before,
                           base::timestamp since) {
    const auto since_us = base::to_us(since);
    const bool awaiting = e.kind() == v1::EVENT_AWAITING;
    auto found = open_.find(id);
    if (found == open_.end()) {
        if (before.accepted || e.attempt() <= before.decided_through) {
            return;
        }
        found = open_.try_emplace(id).first;
    } else {
        const auto& d = found->second;
        if (e.attempt() == d.attempt()) {
            // The same attempt told twice or in another order: the earlier time and the graver word stand.
            auto& same = change(found);
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
    auto& d = change(found);
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
        settle(at); // a later attempt exists only because this one was decided
        return {};
    }
    if (e.attempt() < d.resent_as() || !is_resent(d)) {
        return {}; // told again
    }
    change(at).set_resent_as(e.attempt());
    if (!has_open_copy(d)) {
        return settle_as_failed(e, at);
    }
    // Turned away before it went, or refused: of the copy before, that says nothing.
    const bool turned_away = e.gateway().empty() || e.code() == "semel:expired";
    return leave_unresolved(at, turned_away ? e.code() : "semel:resend-refused",
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
    change(at).set_refused(true);
    if (is_resent(d) || d.unresolved() || d.presumed()) {
        return {}; // what becomes of the resend decides, or an approver
    }
    return leave_unresolved(at, "semel:resend-refused",
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
            change(at).set_refused(true);
            return {};
        }
        return settle_as_failed(e, at);
    }
    auto dispatch = dispatch_of(d);
    if (dispatch.notification().empty()) {
        return leave_unresolved(at, "semel:no-record", "not accepted, and there is no record to send again", now);
    }
    auto& refused = change(at);
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
    told.set_code("semel:refused-late");
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
        change(at).add_proven(e.gateway_message_id());
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
    told.set_code("semel:receipt");
    told.set_text(e.text().find(inferred_mark) == std::string::npos
                      ? "a receipt proves it"
                      : "a receipt proves it; " + std::string{inferred_mark});
    told.set_gateway(e.gateway());
    told.set_gateway_message_id(e.gateway_message_id());
    told.set_parts(d.parts());
    if (e.channel() == v1::CHANNEL_SMS) {
        told.set_dispatch(d.dispatch()); // tells the number, which later receipts of it are compared with
    }
    settle(at);
    return out;
}

decision doubts::on_resolved(const v1::Event& e, entry at, const policy_source& policies, base::timestamp now) {
    const auto& d = at->second;
    // A decision names the attempt that was looked at: told twice, or about an older one, it is void.
    if (d.awaiting() || is_resent(d) || e.attempt() != last_attempt(d)) {
        return {};
    }
    if (e.code() == "resend") {
        return send_again(at, policies(d.campaign_id()), e, now);
    }
    if (e.code() == "presume-sent" && !d.presumed()) {
        return presume_sent(at, e, now);
    }
    return {};
}

bool doubts::is_due(const policy_source& policies, base::timestamp now) const {
    return std::ranges::any_of(open_, [&](const auto& one) {
        const auto& d = one.second;
        const auto since = base::from_us(d.since_us());
        if (d.awaiting()) {
            return now >= since + awaiting_limit_;
        }
        if (d.presumed()) {
            return now >= since + late_evidence;
        }
        const auto p = is_undecided(d) ? policies(d.campaign_id()) : std::nullopt;
        return p && now >= since + p->after;
    });
}

std::vector<decision> doubts::review(const policy_source& policies, base::timestamp now, std::size_t most) {
    std::vector<decision> all;
    for (auto at = open_.begin(); at != open_.end() && all.size() < most;) {
        const auto here = at++; // what is settled is erased
        const auto since = base::from_us(here->second.since_us());
        if (here->second.awaiting() && now >= since + awaiting_limit_) {
            auto& d = change(here);
            d.set_awaiting(false);
            auto e = event_of(v1::EVENT_IN_DOUBT, d, d.attempt(), now);
            e.set_code("semel:no-answer");
            e.set_text("no answer came, and the process that waited for it said nothing");
            e.set_dispatch(d.dispatch());
            decision lapsed;
            lapsed.events.push_back(std::move(e));
            all.push_back(std::move(lapsed));
        }
        if (here->second.presumed() && now >= since + late_evidence) {
            settle(here);
        } else if (is_undecided(here->second)) {
            const auto p = policies(here->second.campaign_id());
            if (p && now >= since + p->after) {
                all.push_back(decide(here, *p, now));
            }
        }
    }
    return all;
}

decision doubts::decide(entry at, const policy& p, base::timestamp now) {
    const v1::Event nobody;
    switch (p.in_doubt) {
    case v1::DOUBT_PRESUME_SENT:
        return presume_sent(at, nobody, now);
    case v1::DOUBT_RESEND:
        if (at->second.resends() >= p.resends) {
            return leave_unresolved(at, "semel:resends",
                                    "it was sent again as often as the campaign allows (" + std::to_string(p.resends) +
                                        ", --resends)",
                                    now);
        }
        return send_again(at, p, nobody, now);
    default:
        return leave_unresolved(at, "semel:hold", "the policy is hold, and its time is up", now);
    }
}

decision doubts::send_again(entry at, const std::optional<policy>& p, const v1::Event& because, base::timestamp now) {
    auto dispatch = dispatch_of(at->second);
    if (auto why = forbids_resend(dispatch, p, now); !why.empty()) {
        return leave_unresolved(at, std::move(why), "it may not be sent again", now);
    }
    auto& d = change(at);
    const auto doubted = last_attempt(d);
    d.set_resent_as(doubted + 1);
    d.set_unresolved(false);
    d.set_presumed(false);
    d.set_resends(d.resends() + 1);
    dispatch.set_attempt(d.resent_as());
    dispatch.set_resend(true);
    dispatch.set_resends(d.resends());
    dispatch.clear_waits_for(); // no lane has been asked
    dispatch.set_not_before_us(base::to_us(now + wire::tiers[0].wait));
    if (!d.gateway().empty()) {
        dispatch.set_pinned_gateway(d.gateway());
    }
    decision out;
    auto& told = out.events.emplace_back(event_of(v1::EVENT_RESENT, d, d.resent_as(), now));
    told.set_code(because.actor().empty() ? "semel:policy" : "semel:approver");
    told.set_actor(because.actor());
    told.set_text(
        "attempt " + std::to_string(doubted) + " is in doubt: from here on it is told at least once, not exactly once" +
        (dispatch.channel() == v1::CHANNEL_PUSH ? "; both have one collapse id, so that the device shows one" : "") +
        (dispatch.pinned_gateway().empty() ? "; which gateway had it is not known, so any may carry the next" : ""));
    out.resends.push_back({std::move(dispatch), 0});
    return out;
}

decision doubts::leave_unresolved(entry at, std::string code, std::string text, base::timestamp now) {
    auto& d = change(at);
    d.set_awaiting(false);
    d.set_unresolved(true);
    d.set_presumed(false);
    decision out;
    auto& told = out.events.emplace_back(event_of(v1::EVENT_UNRESOLVED, d, last_attempt(d), now, code));
    told.set_code(std::move(code));
    told.set_text(std::move(text));
    return out;
}

decision doubts::presume_sent(entry at, const v1::Event& because, base::timestamp now) {
    auto& d = change(at);
    d.set_unresolved(false);
    d.set_presumed(true);
    decision out;
    auto& told = out.events.emplace_back(event_of(v1::EVENT_PRESUMED_SENT, d, last_attempt(d), now));
    told.set_code(because.actor().empty() ? "semel:policy" : "semel:approver");
    told.set_actor(because.actor());
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
        told.set_code("semel:every-copy-refused");
        told.set_text("a late answer says that the copy in doubt was refused as well; the last answer was: " +
                      because.code());
    }
    settle(at);
    return out;
}

v1::Doubt& doubts::change(entry at) {
    changed_.insert(at->first);
    return at->second;
}

void doubts::settle(entry at) {
    changed_.insert(at->first);
    open_.erase(at);
}

} // namespace semel::receipts
