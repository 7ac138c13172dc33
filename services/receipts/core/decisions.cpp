// What time, a campaign's policy and operators decide about doubts.

#include "doubt.hpp"
#include "doubts.hpp"

#include <base/codes.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace semel::receipts {

namespace {

/// Why a message in doubt must not be sent again, as a code; empty: it may.
std::string forbids_resend(const v1::Dispatch& d, const std::optional<policy>& p, base::timestamp now) {
    if (d.notification().empty()) {
        return codes::no_record;
    }
    if (!p) {
        return codes::campaign_unknown;
    }
    if (p->key_destroyed) {
        return codes::key_destroyed;
    }
    if (p->cancelled) {
        return codes::cancelled;
    }
    // It would fail with the dispatcher, and a failure would hide that an earlier attempt may have arrived.
    if (d.give_up_us() != 0 && now + wire::tiers[0].wait > base::from_us(d.give_up_us())) {
        return codes::expired;
    }
    return {};
}

} // namespace

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
    return std::ranges::any_of(book_.open(), [&](const auto& one) {
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

void doubts::write_awaited(base::timestamp since) {
    std::vector<base::notification_id> late;
    for (const auto& [id, offset] : book_.unwritten()) {
        if (base::from_us(find(id)->since_us()) <= since) {
            late.push_back(id);
        }
    }
    for (const auto& id : late) {
        book_.change(book_.find(id));
    }
}

std::vector<decision> doubts::review(const policy_source& policies, base::timestamp now, std::size_t most) {
    std::vector<decision> all;
    for (auto at = book_.begin(); at != book_.end() && all.size() < most;) {
        const auto here = at++; // what is settled is erased
        const auto since = base::from_us(here->second.since_us());
        if (here->second.awaiting() && now >= since + awaiting_limit_) {
            auto& d = book_.change(here);
            d.set_awaiting(false);
            auto e = event_of(v1::EVENT_IN_DOUBT, d, d.attempt(), now);
            e.set_code(codes::no_answer);
            e.set_text("no answer came, and the process that waited for it said nothing");
            e.set_dispatch(d.dispatch());
            decision lapsed;
            lapsed.events.push_back(std::move(e));
            all.push_back(std::move(lapsed));
        }
        if (here->second.presumed() && now >= since + late_evidence) {
            book_.remove(here);
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
            return leave_unresolved(at, codes::resends,
                                    "it was sent again as often as the campaign allows (" + std::to_string(p.resends) +
                                        ", --resends)",
                                    now);
        }
        return send_again(at, p, nobody, now);
    default:
        return leave_unresolved(at, codes::hold, "the policy is hold, and its time is up", now);
    }
}

decision doubts::send_again(entry at, const std::optional<policy>& p, const v1::Event& because, base::timestamp now) {
    auto dispatch = dispatch_of(at->second);
    if (auto why = forbids_resend(dispatch, p, now); !why.empty()) {
        return leave_unresolved(at, std::move(why), "it may not be sent again", now);
    }
    auto& d = book_.change(at);
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
    told.set_code(because.actor().empty() ? codes::policy : codes::approver);
    told.set_actor(because.actor());
    told.set_text(
        "attempt " + std::to_string(doubted) + " is in doubt: from here on it is told at least once, not exactly once" +
        (dispatch.channel() == v1::CHANNEL_PUSH ? "; both have one collapse id, so that the device shows one" : "") +
        (dispatch.pinned_gateway().empty() ? "; which gateway had it is not known, so any may carry the next" : ""));
    out.resends.push_back({std::move(dispatch), 0});
    return out;
}

decision doubts::leave_unresolved(entry at, std::string code, std::string text, base::timestamp now) {
    auto& d = book_.change(at);
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
    auto& d = book_.change(at);
    d.set_unresolved(false);
    d.set_presumed(true);
    decision out;
    auto& told = out.events.emplace_back(event_of(v1::EVENT_PRESUMED_SENT, d, last_attempt(d), now));
    told.set_code(because.actor().empty() ? codes::policy : codes::approver);
    told.set_actor(because.actor());
    return out;
}

} // namespace semel::receipts
