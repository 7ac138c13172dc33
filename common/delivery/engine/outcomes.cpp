#include "outcomes.hpp"

#include <base/codes.hpp>
#include <failpoint/failpoint.hpp>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <utility>

namespace semel::delivery {

outcomes::outcomes(place where, clock& clock, telemetry::logger& log, counters& count, outbox& out)
    : place_(std::move(where))
    , clock_(clock)
    , log_(log)
    , count_(count)
    , outbox_(out) {}

v1::Event outcomes::event_of(v1::EventKind kind, const v1::Dispatch& d, std::string_view discriminator) const {
    return wire::event_of(kind, d, clock_.time().best, discriminator);
}

void outcomes::settle(const partition_ptr& p, const item& message, settlement s, answer a) {
    // The claim may stand although its answer was lost: found by the next try of this attempt, it would be a doubt.
    s.sent = s.sent || message.claim_asked;
    if (p->lost() && !a.late) {
        return; // the next owner decides
    }
    auto out = outgoing_of(p, message, s, a);
    const bool late = a.late;
    if (out.event.kind() != v1::EVENT_KIND_UNSPECIFIED) {
        wire::tell(out.event, {.gateway = std::move(a.gateway),
                               .code = s.code,
                               .text = s.text,
                               .message_id = a.message_id,
                               .content_sha256 = std::move(a.content_sha256)});
    }
    if (!late) {
        close_range(*p, message.at);
    }
    outbox_.add(std::move(out));
    SEMEL_FAILPOINT("delivery.message.settled");
}

/// The event and the record, as far as there are any; the event without what was said.
outgoing outcomes::outgoing_of(const partition_ptr& p, const item& message, const settlement& s, const answer& a) {
    const auto& d = message.dispatch;
    outgoing out{.source = p};
    switch (s.what) {
    case settlement::kind::accepted:
        out.event = event_of(v1::EVENT_ACCEPTED, d);
        out.event.set_parts(message.parts);
        wire::keep_number(out.event, d);
        out.evidence = true;
        count_.accepted.add();
        break;
    case settlement::kind::failed:
        out.event = event_of(v1::EVENT_FAILED, d);
        out.evidence = a.late;
        count_.failed.add();
        break;
    case settlement::kind::in_doubt:
        out.event = event_of(v1::EVENT_IN_DOUBT, d);
        wire::keep_for_resend(out.event, d);
        out.event.set_parts(message.parts);
        out.evidence = a.late; // it was awaiting, and nobody else will hear that the connection is gone
        count_.in_doubt.add();
        break;
    case settlement::kind::deferred:
        count_.deferred.add();
        if (s.sent || a.late) { // a wait is not an event; a refused attempt is one
            out.event = event_of(v1::EVENT_DEFERRED, d);
            out.evidence = a.late;
        }
        if (!a.late) {
            // A late answer is evidence: receipts, the one writer that settles doubt, sends it again.
            const auto topic = s.parked ? wire::parked(place_.channel) : wire::retry(place_.channel, s.tier);
            out.to = {.topic = place_.prefix + topic,
                      .partition = retry_place(p->at.partition, s.waits_for.empty() ? a.gateway : s.waits_for)};
            out.key = d.notification();
            out.record = again(d, s, clock_.time().best).SerializeAsString();
        }
        break;
    }
    return out;
}

/// Of a message that no gateway has seen, where it is.
std::int32_t outcomes::retry_place(std::int32_t of_source, std::string_view gateway) const {
    const auto& all = place_.gateways;
    const auto found = std::ranges::find(all, gateway);
    return found == all.end() ? of_source
                              : retry_partition(of_source, static_cast<std::size_t>(found - all.begin()), all.size(),
                                                place_.partitions);
}

void outcomes::close_range(partition& p, kafka::offset at) {
    p.window.settle(at);
    ++p.load.settled_lately;
}

void outcomes::bury(const partition_ptr& p, const item& message, const std::string& why) {
    if (p->lost()) {
        return;
    }
    const auto where = p->at.topic + ":" + std::to_string(p->at.partition) + ":" + std::to_string(message.at);
    count_.dead_letters.add();
    log_.error("record.unusable", {{"where", where}, {"why", why}});
    // Whatever of it can be read names the notification.
    outgoing out{.source = p,
                 .event = event_of(v1::EVENT_DEAD_LETTER, message.dispatch, where),
                 .to = {.topic = place_.prefix + std::string{wire::dead_letter}, .partition = 0},
                 .key = where,
                 // Its personal part came sealed under the campaign's key, and stays so.
                 .record = message.raw.empty() ? message.dispatch.SerializeAsString() : message.raw};
    if (out.event.notification().size() != 32) {
        out.event.clear_notification();
    }
    const auto text = where + ": " + why;
    wire::tell(out.event, {.gateway = {}, .code = codes::dead_letter, .text = text});
    close_range(*p, message.at);
    outbox_.add(std::move(out));
}

outcomes::airborne::airborne(outcomes& of, flight f)
    : of_(of)
    , here_(of.flights_.insert(of.flights_.end(), std::move(f))) {}

outcomes::airborne::~airborne() {
    of_.flights_.erase(here_);
}

bool outcomes::airborne::late() const noexcept {
    return here_->awaiting || here_->source->lost();
}

void outcomes::settle_overdue(base::instant since_before, bool closing_only) {
    for (auto& f : flights_) {
        const bool due = f.since <= since_before && (!closing_only || f.source->closing());
        if (due && !f.awaiting) {
            settle_awaiting(f);
        }
    }
}

void outcomes::settle_awaiting(flight& f) {
    if (f.source->lost()) {
        return;
    }
    f.awaiting = true;
    const auto& d = f.message->dispatch;
    outgoing out{.source = f.source, .event = event_of(v1::EVENT_AWAITING, d)};
    wire::keep_for_resend(out.event, d);
    out.event.set_parts(f.message->parts);
    wire::tell(out.event, {.gateway = f.gateway, .code = {}, .text = {}, .content_sha256 = f.content_sha256});
    close_range(*f.source, f.message->at);
    outbox_.add(std::move(out));
    count_.awaiting.add();
    outbox_.hurry();
    SEMEL_FAILPOINT("delivery.message.awaiting");
}

void outcomes::settle_at_end() {
    const settlement doubt{.what = settlement::kind::in_doubt,
                           .code = codes::stopped,
                           .text = "the dispatcher was stopped before the gateway answered"};
    for (auto& f : flights_) {
        settle(f.source, *f.message, doubt,
               {.gateway = f.gateway, .content_sha256 = f.content_sha256, .late = f.awaiting || f.source->lost()});
        f.awaiting = true;
    }
}

} // namespace semel::delivery
