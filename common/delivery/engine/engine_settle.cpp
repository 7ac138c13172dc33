// What becomes of a message: an event, perhaps a retry record, and its bit in the range.

#include "engine_impl.hpp"

#include <base/codes.hpp>
#include <failpoint/failpoint.hpp>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <algorithm>

namespace semel::delivery {

v1::Event engine::impl::event_of(v1::EventKind kind, const v1::Dispatch& d, std::string_view discriminator) const {
    return wire::event_of(kind, d, options.time().best, discriminator);
}

void engine::impl::settle(const partition_ptr& p, const item& message, settlement s, std::string gateway,
                          std::string message_id, std::string content_sha256, bool late) {
    const auto& d = message.dispatch;
    // The claim may stand although its answer was lost: found by the next try of this attempt, it would be a doubt.
    s.sent = s.sent || message.claim_asked;
    if (p->lost() && !late) {
        return; // the next owner decides
    }
    outgoing out{.source = p, .event = {}, .to = {}, .key = {}, .record = {}, .evidence = false};
    switch (s.what) {
    case settlement::kind::accepted:
        out.event = event_of(v1::EVENT_ACCEPTED, d);
        out.event.set_parts(message.parts);
        wire::keep_number(out.event, d);
        out.evidence = true;
        count.accepted.add();
        break;
    case settlement::kind::failed:
        out.event = event_of(v1::EVENT_FAILED, d);
        out.evidence = late;
        count.failed.add();
        break;
    case settlement::kind::in_doubt:
        out.event = event_of(v1::EVENT_IN_DOUBT, d);
        wire::keep_for_resend(out.event, d);
        out.event.set_parts(message.parts);
        out.evidence = late; // it was awaiting, and nobody else will hear that the connection is gone
        count.in_doubt.add();
        break;
    case settlement::kind::deferred:
        count.deferred.add();
        if (s.sent || late) { // a wait is not an event; a refused attempt is one
            out.event = event_of(v1::EVENT_DEFERRED, d);
            out.evidence = late;
        }
        if (!late) {
            // A late answer is evidence: receipts, the one writer that settles doubt, sends it again.
            out.to = {.topic = options.prefix +
                               (s.parked ? wire::parked(options.channel) : wire::retry(options.channel, s.tier)),
                      .partition = retry_place(p->at.partition, s.waits_for.empty() ? gateway : s.waits_for)};
            out.key = d.notification();
            out.record = again(d, s, options.time().best).SerializeAsString();
        }
        break;
    }
    if (out.event.kind() != v1::EVENT_KIND_UNSPECIFIED) {
        wire::tell(out.event, {.gateway = std::move(gateway),
                               .code = s.code,
                               .text = s.text,
                               .message_id = message_id,
                               .content_sha256 = std::move(content_sha256)});
    }
    if (!late) {
        close_range(*p, message.at);
    }
    outbox.push_back(std::move(out));
    if (outbox.size() == 1'000) {
        wake.notify(); // a large transaction is cheap, a larger one only late
    }
    SEMEL_FAILPOINT("delivery.message.settled");
}

/// Of a message that no gateway has seen, where it is.
std::int32_t engine::impl::retry_place(std::int32_t of_source, std::string_view gateway) const {
    const auto found = std::ranges::find_if(lanes, [&](const lane& l) { return l.gateway->name() == gateway; });
    return found == lanes.end() ? of_source
                                : retry_partition(of_source, static_cast<std::size_t>(found - lanes.begin()),
                                                  lanes.size(), options.partitions);
}

void engine::impl::close_range(partition& p, kafka::offset at) {
    p.window.settle(at);
    ++p.settled_lately;
}

void engine::impl::settle_awaiting(flight& f) {
    if (f.source->lost()) {
        return;
    }
    f.awaiting = true;
    const auto& d = f.message->dispatch;
    outgoing out{.source = f.source, .event = event_of(v1::EVENT_AWAITING, d), .to = {}, .key = {}, .record = {}};
    wire::keep_for_resend(out.event, d);
    out.event.set_parts(f.message->parts);
    wire::tell(out.event, {.gateway = f.gateway, .code = {}, .text = {}, .content_sha256 = f.content_sha256});
    close_range(*f.source, f.message->at);
    outbox.push_back(std::move(out));
    count.awaiting.add();
    wake.notify();
    SEMEL_FAILPOINT("delivery.message.awaiting");
}

/// This process ends, and the connection with it: no answer will come.
void engine::impl::settle_at_end(flight& f) {
    const settlement doubt{.what = settlement::kind::in_doubt,
                           .code = codes::stopped,
                           .text = "the dispatcher was stopped before the gateway answered"};
    const bool late = f.awaiting || f.source->lost();
    settle(f.source, *f.message, doubt, f.gateway, {}, f.content_sha256, late);
    f.awaiting = true;
}

void engine::impl::bury(const partition_ptr& p, const item& message, const std::string& why) {
    if (p->lost()) {
        return;
    }
    const auto where = p->at.topic + ":" + std::to_string(p->at.partition) + ":" + std::to_string(message.at);
    count.dead_letters.add();
    log.error("record.unusable", {{"where", where}, {"why", why}});
    // Whatever of it can be read names the notification.
    outgoing out{.source = p,
                 .event = event_of(v1::EVENT_DEAD_LETTER, message.dispatch, where),
                 .to = {.topic = options.prefix + std::string{wire::dead_letter}, .partition = 0},
                 .key = where,
                 // Its personal part came sealed under the campaign's key, and stays so.
                 .record = message.raw.empty() ? message.dispatch.SerializeAsString() : message.raw};
    if (out.event.notification().size() != 32) {
        out.event.clear_notification();
    }
    const auto text = where + ": " + why;
    wire::tell(out.event, {.gateway = {}, .code = codes::dead_letter, .text = text});
    close_range(*p, message.at);
    outbox.push_back(std::move(out));
}

} // namespace semel::delivery
