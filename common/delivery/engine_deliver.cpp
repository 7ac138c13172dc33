// One message, from its record to its settlement.

#include "engine_impl.hpp"

#include <notice/content.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto patience_for_tokens = 1'500ms;
constexpr auto patience_for_session = 10'000ms;

standing standing_of(const catalog::campaign& c, const v1::Dispatch& d, base::timestamp now) {
    if (d.test()) {
        return standing::wanted;
    }
    if (c.state.phase() == v1::CAMPAIGN_CANCELLED) {
        return standing::cancelled;
    }
    if (d.give_up_us() != 0 && now > base::from_us(d.give_up_us())) {
        return standing::expired;
    }
    return c.state.phase() == v1::CAMPAIGN_PAUSED ? standing::paused : standing::wanted;
}

settlement failed_with(std::string code, std::string text) {
    return {.what = settlement::kind::failed, .code = std::move(code), .text = std::move(text)};
}

std::string domain_of(const std::string& canonical) {
    const auto at = canonical.rfind('@');
    return at == std::string::npos ? std::string{} : canonical.substr(at + 1);
}

} // namespace

asio::awaitable<void> engine::impl::deliver(partition_ptr p, item message) {
    co_await send(p, message);
    --active;
    --p->active;
    moved.notify();
    feed();
}

asio::awaitable<void> engine::impl::send(partition_ptr p, item& message) {
    const auto& d = message.dispatch;
    base::campaign_id campaign_id{d.campaign_id()};
    auto campaign = catalog.find(campaign_id);
    if (!campaign) {
        campaign = co_await catalog.get(campaign_id);
    }
    if (const auto s = standing_of(*campaign, d, base::now()); s != standing::wanted) {
        settle(p, message, turned_away(s, d));
        co_return;
    }
    const auto artifact_id = base::from_bytes<base::artifact_id>(d.artifact());
    if (!artifact_id || !campaign->key) {
        settle(p, message,
               campaign->key ? failed_with("semel:no-artifact", "the record names no artifact")
                             : failed_with("semel:key-destroyed", "the campaign's key was destroyed"));
        co_return;
    }
    auto artifact = catalog.find(*artifact_id);
    if (!artifact) {
        artifact = co_await catalog.get(*artifact_id);
    }
    const auto delivery = wire::open_delivery(*campaign->key, d);
    if (!delivery) {
        bury(p, message.at, d.SerializeAsString(), delivery.error().why());
        co_return;
    }
    const auto give_up = d.give_up_us() == 0 ? std::nullopt : std::optional{base::from_us(d.give_up_us())};
    const notice::values values{.campaign = campaign_id,
                                .notification = base::from_bytes<base::notification_id>(d.notification()).value(),
                                .planned_at = base::from_us(d.planned_at_us()),
                                .delivery = &*delivery,
                                .test = d.test(),
                                .give_up = give_up};
    auto content = notice::fill(*artifact, values);
    if (!content) {
        settle(p, message, failed_with("semel:content", content.error().why()));
        co_return;
    }
    const std::string content_sha256{base::as_view(content->sha256)};
    const auto& address = delivery->address();
    const outbound out{.notification = values.notification,
                       .attempt = d.attempt(),
                       .campaign = campaign_id,
                       // A phone number is sent in its canonical form: the form given may be national.
                       .address = options.channel == base::channel::sms ? address.canonical() : address.given(),
                       .transport = address.transport(),
                       .parts = std::move(content->parts),
                       .data_coding = content->data_coding,
                       .sender = std::move(content->sender),
                       .planned_at = values.planned_at,
                       .give_up = give_up};

    milliseconds wait{0};
    auto* lane = choose(out, d, base::now(), wait);
    if (lane == nullptr) {
        settle(p, message,
               wait < 0ms ? failed_with("semel:no-gateway", "no gateway of semel.yaml carries this kind of address")
                          : postponed(wait, "semel:lane-closed"));
        co_return;
    }
    ++lane->active;
    struct leave {
        delivery::lane* l;
        ~leave() { --l->active; }
    } const on_exit{lane};

    if (const auto later = co_await take_tokens(*lane, out, *delivery, campaign->state.rate_per_s())) {
        settle(p, message, postponed(*later, "semel:rate"));
        co_return;
    }
    auto begun = co_await lane->gateway->stage(out, patience_for_session);
    if (auto* refused = std::get_if<verdict>(&begun)) {
        heed(*lane, *refused);
        if (p->ours() || p->state == partition::phase::closing) {
            settle(p, message, judge(*refused, d, base::now()), lane->gateway->name());
        }
        co_return;
    }
    const auto staged = std::move(std::get<std::unique_ptr<delivery::staged>>(begun));
    // Time has passed: an operator may have stopped the campaign, another process may own the partition.
    if (!p->ours()) {
        co_return; // withdrawn unclaimed and unsettled: the next owner sends it
    }
    if (const auto current = catalog.find(campaign_id)) {
        if (const auto s = standing_of(*current, d, base::now()); s != standing::wanted) {
            settle(p, message, turned_away(s, d));
            co_return;
        }
    }
    // The gateway's own tokens last, just before the bytes that count: taken earlier, they would pile up behind busy
    // sessions and go out in one burst.
    auto bucket = "gateway:" + lane->gateway->name();
    if (const auto later = co_await rates.take(std::move(bucket), lane->per_second, patience_for_session)) {
        settle(p, message, postponed(*later, "semel:rate"));
        co_return;
    }
    bool in_doubt = false;
    if (!co_await claim(p, message, in_doubt)) {
        if (in_doubt && p->ours()) {
            settlement s{
                .what = settlement::kind::in_doubt, .code = "semel:claimed", .text = "an earlier claim stands"};
            settle(p, message, s);
        }
        co_return;
    }

    const auto field = claim_field(d.notification(), d.attempt());
    p->open_claims[message.at] = {.field = field, .outcome = {}};
    const auto here = flights.insert(flights.end(), {.source = p,
                                                     .message = message,
                                                     .gateway = lane->gateway->name(),
                                                     .content_sha256 = content_sha256,
                                                     .since = steady::now()});
    auto v = co_await staged->release();
    heed(*lane, v);
    if (v.what != verdict::kind::unknown && !p->lost()) {
        const claim_outcome outcome{.what = v.what,
                                    .gateway = lane->gateway->name(),
                                    .code = v.code,
                                    .message_id = v.message_id,
                                    .content_sha256 = content_sha256};
        if (const auto open = p->open_claims.find(message.at); open != p->open_claims.end()) {
            open->second.outcome = encode(outcome);
        }
        p->claims.note({.at = message.at, .field = field}, outcome);
    }
    const bool late = here->awaiting || p->lost();
    flights.erase(here);
    settle(p, message, judge(v, d, base::now()), lane->gateway->name(), v.message_id, content_sha256, late);
}

lane* engine::impl::choose(const outbound& out, const v1::Dispatch& d, base::timestamp now, milliseconds& wait) {
    lane* best = nullptr;
    wait = milliseconds{-1};
    for (auto& l : lanes) {
        if (!l.gateway->serves(out) || (!d.pinned_gateway().empty() && d.pinned_gateway() != l.gateway->name())) {
            continue;
        }
        if (l.breaker.open(now)) {
            const auto left = std::chrono::duration_cast<milliseconds>(l.breaker.open_until() - now);
            wait = wait < 0ms ? left : std::min(wait, left);
            continue;
        }
        const auto load = [](const lane& x) {
            return static_cast<double>(x.active) / static_cast<double>(x.gateway->window());
        };
        if (best == nullptr || load(l) < load(*best)) {
            best = &l;
        }
    }
    return best;
}

asio::awaitable<std::optional<milliseconds>>
engine::impl::take_tokens(lane& l, const outbound& out, const v1::Delivery& delivery, std::uint32_t campaign_rate) {
    if (!l.domains.empty()) {
        const auto domain = domain_of(delivery.address().canonical());
        if (const auto found = l.domains.find(domain); found != l.domains.end()) {
            auto bucket = "gateway:" + l.gateway->name() + ":" + domain;
            if (const auto later = co_await rates.take(std::move(bucket), found->second, patience_for_tokens)) {
                co_return later;
            }
        }
    }
    if (campaign_rate > 0) {
        auto bucket = "campaign:" + out.campaign.value();
        if (const auto later = co_await rates.take(std::move(bucket), campaign_rate, patience_for_tokens)) {
            co_return later;
        }
    }
    co_return std::nullopt;
}

asio::awaitable<bool> engine::impl::claim(partition_ptr p, const item& message, bool& in_doubt) {
    for (;;) {
        while (p->state == partition::phase::rebuilding) {
            co_await moved.wait_for(1s);
        }
        if (p->state != partition::phase::open) {
            co_return false;
        }
        claim_ref ref{.at = message.at,
                      .field = claim_field(message.dispatch.notification(), message.dispatch.attempt())};
        const auto answer = co_await p->claims.take(std::move(ref));
        switch (answer) {
        case claim_answer::mine:
            // While closing we still own it: the claim tells the next owner, whatever becomes of this send.
            co_return p->ours() || p->state == partition::phase::closing;
        case claim_answer::taken:
            in_doubt = true;
            co_return false;
        case claim_answer::stale:
            start_rebuild(p);
            break;
        case claim_answer::unreachable:
            co_await redis.connected();
            break;
        }
    }
}

void engine::impl::heed(lane& l, const verdict& v) {
    const auto now = base::now();
    switch (v.what) {
    case verdict::kind::accepted:
    case verdict::kind::permanent:
        l.breaker.succeeded();
        l.alarmed = false;
        break;
    case verdict::kind::transient:
    case verdict::kind::unknown:
        l.breaker.failed(now);
        break;
    case verdict::kind::throttled:
        l.breaker.pause_until(now + v.retry_after.value_or(1'000ms));
        break;
    case verdict::kind::lane_stop:
        l.breaker.stop(now, v.code + " " + v.text);
        if (!l.alarmed) {
            l.alarmed = true;
            log.error("a gateway refuses us for its configuration; mend it, sending goes on by itself",
                      {{"gateway", l.gateway->name()}, {"code", v.code}, {"text", v.text}});
        }
        break;
    }
}

v1::Event engine::impl::event_of(v1::EventKind kind, const v1::Dispatch& d, std::string_view discriminator) const {
    v1::Event e;
    e.set_id(wire::event_id(kind, d.notification(), d.attempt(), discriminator));
    e.set_kind(kind);
    e.set_campaign_id(d.campaign_id());
    e.set_time_us(base::to_us(base::now()));
    e.set_notification(d.notification());
    e.set_channel(d.channel());
    e.set_attempt(d.attempt());
    e.set_wave(d.wave());
    e.set_row(d.row());
    e.set_recipient_ref(d.recipient_ref());
    e.set_test(d.test());
    return e;
}

void engine::impl::settle(const partition_ptr& p, const item& message, const settlement& s, std::string gateway,
                          std::string message_id, std::string content_sha256, bool late) {
    const auto& d = message.dispatch;
    outgoing out{.source = p, .event = {}, .to = {}, .key = {}, .record = {}, .evidence = false};
    switch (s.what) {
    case settlement::kind::accepted:
        out.event = event_of(v1::EVENT_ACCEPTED, d);
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
        out.event.set_dispatch(d.SerializeAsString());
        count.in_doubt.add();
        break;
    case settlement::kind::deferred:
        count.deferred.add();
        if (s.counts || late) {
            out.event = event_of(v1::EVENT_DEFERRED, d);
            out.evidence = late;
        }
        if (!late) {
            // A late answer is evidence: receipts, the one writer that settles doubt, sends it again.
            out.to = {.topic = wire::retry(options.channel, s.tier), .partition = p->at.partition};
            out.key = d.notification();
            out.record = again(d, s, base::now()).SerializeAsString();
        }
        break;
    }
    if (out.event.kind() != v1::EVENT_KIND_UNSPECIFIED) {
        out.event.set_code(s.code);
        out.event.set_text(s.text);
        out.event.set_gateway(std::move(gateway));
        out.event.set_gateway_message_id(std::move(message_id));
        out.event.set_content_sha256(std::move(content_sha256));
    }
    if (!late) {
        if (p->lost()) {
            return; // the next owner decides
        }
        p->window.settle(message.at);
        ++p->settled_lately;
    }
    outbox.push_back(std::move(out));
    if (outbox.size() >= 2'000) {
        wake.notify();
    }
}

void engine::impl::settle_awaiting(flight& f) {
    if (f.source->lost()) {
        return;
    }
    f.awaiting = true;
    outgoing out{.source = f.source,
                 .event = event_of(v1::EVENT_AWAITING, f.message.dispatch),
                 .to = {},
                 .key = {},
                 .record = {}};
    out.event.set_dispatch(f.message.dispatch.SerializeAsString());
    out.event.set_gateway(f.gateway);
    out.event.set_content_sha256(f.content_sha256);
    f.source->window.settle(f.message.at);
    ++f.source->settled_lately;
    outbox.push_back(std::move(out));
    count.awaiting.add();
    wake.notify();
}

void engine::impl::bury(const partition_ptr& p, kafka::offset at, std::string_view raw, const std::string& why) {
    count.dead_letters.add();
    log.error("a record cannot be read; it goes to dead-letter",
              {{"topic", p->at.topic}, {"partition", p->at.partition}, {"offset", at}, {"why", why}});
    v1::Dispatch d; // whatever of it can be read names the notification
    d.ParseFromArray(raw.data(), static_cast<int>(raw.size()));
    outgoing out{.source = p,
                 .event = event_of(v1::EVENT_DEAD_LETTER, d, p->at.topic + std::to_string(at)),
                 .to = {},
                 .key = {},
                 .record = {}};
    out.event.set_code("semel:dead-letter");
    out.event.set_text(why);
    out.to = {.topic = std::string{wire::dead_letter}, .partition = 0};
    out.key = p->at.topic + ":" + std::to_string(p->at.partition) + ":" + std::to_string(at);
    out.record = raw;
    p->window.settle(at);
    outbox.push_back(std::move(out));
}

} // namespace semel::delivery
