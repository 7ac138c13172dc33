// One message, from its record to its settlement.

#include "engine_impl.hpp"

#include <base/codes.hpp>
#include <delivery/redis/superseded.hpp>
#include <failpoint/failpoint.hpp>
#include <notice/content.hpp>
#include <wire/sealed.hpp>

#include <algorithm>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

// Together with engine_options::awaiting_after: a record of the range settles within some five seconds, or soon after.
constexpr auto patience_for_knowledge = 2'000ms;
constexpr auto patience_for_session = 2'000ms;
constexpr auto patience_for_redis = 5'000ms;

settlement failed_with(std::string code, std::string text) {
    return {.what = settlement::kind::failed, .code = std::move(code), .text = std::move(text)};
}

/// Whoever gives the partition up waits for those that have asked for a claim.
struct holding {
    partition& p;
    explicit holding(partition& of)
        : p(of) {
        ++p.claiming;
    }
    holding(const holding&) = delete;
    ~holding() { --p.claiming; }
};

std::string domain_of(const std::string& canonical) {
    const auto at = canonical.rfind('@');
    return at == std::string::npos ? std::string{} : canonical.substr(at + 1);
}

/// What the catalog does not know yet may be on its way; but one record must not hold a slot for ever.
template <class Ptr, class Id>
asio::awaitable<Ptr> soon(catalog::catalog& catalog, Id id) {
    const auto until = steady::now() + patience_for_knowledge;
    for (;;) {
        if (auto found = catalog.find(id); found || steady::now() >= until) {
            co_return found;
        }
        co_await runtime::sleep(50ms);
    }
}

} // namespace

asio::awaitable<void> engine::impl::deliver(partition_ptr p, item message) {
    const auto self = shared_from_this(); // the last to end may be the last to hold the engine
    struct under_way {
        impl& e;
        partition& p;
        ~under_way() {
            --e.active;
            --p.active;
            e.moved.notify();
        }
    };
    {
        const under_way here{*this, *p};
        co_await send(p, message);
    }
    feed();
}

asio::awaitable<void> engine::impl::send(partition_ptr p, item& message) {
    SEMEL_FAILPOINT("delivery.message.started");
    const auto& d = message.dispatch;
    if (!message.unreadable.empty()) {
        bury(p, message, message.unreadable);
        co_return;
    }
    const base::campaign_id campaign_id{d.campaign_id()};
    const auto campaign = co_await soon<catalog::campaign_ptr>(catalog, campaign_id);
    if (!campaign) {
        settle(p, message, postponed(0ms, codes::campaign_unknown));
        co_return;
    }
    const auto stands = standing_of(campaign->state.phase(), d, options.time().certain);
    if (stands == standing::unclear) {
        if (!p->lost()) {
            enqueue(*p, std::move(message)); // until it is certain, feed() starts none
        }
        co_return;
    }
    if (stands != standing::wanted) {
        settle(p, message, turned_away(stands, d));
        co_return;
    }
    const auto artifact_id = base::from_bytes<base::artifact_id>(d.artifact());
    if (!artifact_id || !campaign->key) {
        settle(p, message,
               campaign->key ? failed_with(codes::no_artifact, "the record names no artifact")
                             : failed_with(codes::key_destroyed, "the campaign's key was destroyed"));
        co_return;
    }
    const auto artifact = co_await soon<catalog::artifact_ptr>(catalog, *artifact_id);
    if (!artifact) {
        settle(p, message, postponed(0ms, codes::artifact_unknown));
        co_return;
    }
    const auto delivery = wire::open_delivery(*campaign->key, d);
    if (!delivery) {
        bury(p, message, delivery.error().why());
        co_return;
    }
    const auto give_up = d.give_up_us() == 0 ? std::nullopt : std::optional{base::from_us(d.give_up_us())};
    // The bytes of a message name no deadline that nobody chose: a later launch may move it, and an audit renders them
    // again from the campaign as it is then.
    const bool chosen = d.test() || campaign->state.deadline_basis().empty();
    const notice::values values{.campaign = campaign_id,
                                .notification = base::from_bytes<base::notification_id>(d.notification()).value(),
                                .planned_at = base::from_us(d.planned_at_us()),
                                .delivery = &*delivery,
                                .test = d.test(),
                                .give_up = chosen ? give_up : std::nullopt};
    auto content = notice::fill(*artifact, values);
    if (!content) {
        settle(p, message, failed_with(codes::content, content.error().why()));
        co_return;
    }
    const std::string content_sha256{base::as_view(content->sha256)};
    message.parts = static_cast<std::uint32_t>(content->parts.size());
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
    if (!co_await transmit(p, message, *campaign, out, *delivery, content_sha256) && !p->lost()) {
        enqueue(*p, std::move(message)); // nothing of it is out: it waits where it was
    }
}

/// False: not settled, and certainly not sent; it may be tried again, by us or by the next owner.
asio::awaitable<bool> engine::impl::transmit(partition_ptr p, item& message, const catalog::campaign& campaign,
                                             const outbound& out, const v1::Delivery& delivery,
                                             const std::string& content_sha256) {
    const auto& d = message.dispatch;
    milliseconds wait{0};
    auto* lane = choose(out, d, base::instant_now(), wait);
    if (lane == nullptr) {
        settle(p, message,
               wait < 0ms ? failed_with(codes::no_gateway, "no gateway of semel.yaml carries this kind of address")
                          : postponed(wait, codes::lane_closed));
        co_return true;
    }
    const auto& gateway = lane->gateway->name();
    const auto at_limit = [&](milliseconds stay_away) {
        auto s = postponed(stay_away, codes::rate);
        const auto serves = [&](const delivery::lane& l) { return l.gateway->serves(out); };
        if (!d.pinned_gateway().empty() || std::ranges::count_if(lanes, serves) == 1) {
            s.waits_for = gateway;
        }
        return s;
    };
    if (!co_await admitted(*lane, *p)) {
        settle(p, message, at_limit(0ms));
        co_return true;
    }
    if (const auto now = base::instant_now(); !lane->takes(now)) { // it was shut meanwhile
        const auto left = std::chrono::duration_cast<milliseconds>(lane->breaker.blocked_until() - now);
        settle(p, message, postponed(std::max(left, 0ms), codes::lane_closed));
        co_return true;
    }
    struct passage {
        delivery::lane& l;
        bool probe;
        explicit passage(delivery::lane& lane)
            : l(lane)
            , probe(lane.breaker.unproven()) {
            ++l.active;
            l.entered = steady::now();
            l.probing = l.probing || probe;
        }
        passage(const passage&) = delete;
        ~passage() {
            --l.active;
            l.probing = l.probing && !probe;
        }
    } const inside{*lane};

    const auto domain = domain_of(delivery.address().canonical());
    const auto ours = [p] { return p->ours(); };
    if (const auto later = co_await take_tokens(*lane, out, domain, campaign.state.rate_per_s(), ours)) {
        settle(p, message, postponed(*later, codes::rate));
        co_return true;
    }
    const auto asked = base::instant_now();
    auto begun = co_await lane->gateway->stage(out, patience_for_session);
    if (std::holds_alternative<busy>(begun)) {
        settle(p, message, postponed(0ms, codes::busy));
        co_return true;
    }
    if (const auto* not_sent = std::get_if<refused>(&begun)) {
        const auto v = heed(*lane, d, domain, asked, not_sent->why());
        settle(p, message, judge(v, d, options.time().certain), gateway);
        co_return true;
    }
    const auto staged = std::move(std::get<std::unique_ptr<delivery::staged>>(begun));
    SEMEL_FAILPOINT("delivery.message.staged");
    if (!p->ours()) {
        co_return false; // withdrawn unclaimed and unsettled: the next owner sends it
    }
    if (d.resend() && co_await is_superseded(redis, options.prefix, d.notification())) {
        settle(p, message,
               failed_with(codes::superseded, "the copy before was accepted after all: this one was not sent"));
        co_return true;
    }
    switch (co_await keep_pace(*lane, domain, p)) {
    case paced::yes:
        break;
    case paced::later:
        settle(p, message, at_limit(0ms));
        co_return true;
    case paced::withdrawn:
        co_return false;
    }
    // The gateway's own tokens last, just before the bytes that count: taken earlier, they would pile up behind busy
    // sessions and go out in one burst.
    const auto token = co_await rates.take(lane->bucket, lane->per_second, patience_for_tokens, {.wanted = ours});
    if (!p->ours()) {
        co_return false;
    }
    if (!token) {
        settle(p, message, at_limit(token.error()));
        co_return true;
    }
    // Time has passed: an operator may have stopped the campaign.
    if (const auto current = catalog.find(campaign.id)) {
        const auto stands = standing_of(current->state.phase(), d, options.time().certain);
        if (stands == standing::unclear) {
            co_return false;
        }
        if (stands != standing::wanted) {
            settle(p, message, turned_away(stands, d));
            co_return true;
        }
    }
    const holding claiming{*p};
    switch (co_await claim(p, message, gateway)) {
    case claimed::yes:
        break;
    case claimed::in_doubt:
        settle(p, message,
               {.what = settlement::kind::in_doubt,
                .code = codes::claimed,
                .text = "an earlier claim stands for this attempt"},
               gateway);
        co_return true;
    case claimed::later:
        message.claim_asked = true;
        co_return false;
    case claimed::withdrawn:
        co_return false;
    }

    // In the same breath as the claim: were Redis lost before this, a rebuild would leave the claim out, and whoever
    // comes after a crash would send again.
    const auto field = claim_field(d.notification(), d.attempt());
    p->open_claims[message.at] = {.field = field, .value = encode_claim(p->owner, gateway, message.parts)};
    co_await renew(*lane, *token);
    if (p->lost()) {
        co_return false; // its next owner has read the claim, and may have sent it again since
    }
    struct landing {
        flight_list& all;
        flight_list::iterator here;
        ~landing() { all.erase(here); }
    };
    SEMEL_FAILPOINT("delivery.claim.taken");
#ifdef SEMEL_FAILPOINTS
    asio::post(executor, [] { SEMEL_FAILPOINT("delivery.message.released"); });
#endif
    verdict v;
    bool late = false;
    const auto sent = base::instant_now();
    {
        const landing flying{flights, flights.insert(flights.end(), {.source = p,
                                                                     .message = &message,
                                                                     .gateway = gateway,
                                                                     .content_sha256 = content_sha256,
                                                                     .since = steady::now()})};
        v = co_await staged->release();
        late = flying.here->awaiting || p->lost();
    }
    SEMEL_FAILPOINT("delivery.message.answered");
    v = heed(*lane, d, domain, sent, std::move(v));
    if (v.what != verdict::kind::unknown && !p->lost()) {
        // Whoever inherits an ambiguous refusal knows only that it was one: another try says more.
        const bool unclear = v.what == verdict::kind::ambiguous;
        const claim_outcome outcome{.what = unclear ? verdict::kind::transient : v.what,
                                    .gateway = gateway,
                                    .code = v.code,
                                    .message_id = v.message_id,
                                    .content_sha256 = content_sha256};
        if (const auto open = p->open_claims.find(message.at); open != p->open_claims.end()) {
            open->second.value = encode(outcome);
        }
        p->claims.note({.at = message.at, .field = field, .parts = message.parts}, outcome);
    }
    settle(p, message, judge(v, d, options.time().certain), gateway, v.message_id, content_sha256, late);
    co_return true;
}

/// Its campaign is paused: it lies where it is, not reserved, and costs nothing. It expires by a time that is certain.
bool engine::impl::stays_parked(const partition& p, const item& i) const {
    const auto& d = i.dispatch;
    if (d.parked_us() == 0 || d.parked_us() < p.parked_round_us) {
        return false;
    }
    const auto campaign = catalog.find(base::campaign_id{d.campaign_id()});
    return campaign && standing_of(campaign->state.phase(), d, options.time().certain) == standing::paused;
}

/// What stays at the front holds what lies behind it. So when a campaign is resumed or cancelled, or something behind
/// has passed its deadline, what was parked before is parked once more, at the end.
void engine::impl::send_parked_round() {
    const auto round_us = base::to_us(options.time().best);
    if (const auto version = catalog.version(); version != paused_version) {
        paused_version = version;
        std::set<base::campaign_id> now;
        for (const auto& c : catalog.campaigns()) {
            if (c->state.phase() == v1::CAMPAIGN_PAUSED) {
                now.insert(c->id);
            }
        }
        if (!std::ranges::includes(now, paused)) {
            for (const auto& p : order) {
                p->parked_round_us = round_us;
            }
        }
        paused = std::move(now);
    }
    if (steady::now() - looked_behind < 2s) {
        return;
    }
    looked_behind = steady::now();
    for (const auto& p : order) {
        const auto stays = [&](const item& i) { return stays_parked(*p, i); };
        if (!p->queue.empty() && stays(p->queue.front()) && !std::ranges::all_of(p->queue, stays)) {
            p->parked_round_us = round_us;
        }
    }
}

asio::awaitable<engine::impl::claimed> engine::impl::claim(partition_ptr p, const item& message,
                                                           const std::string& gateway) {
    const auto until = steady::now() + patience_for_redis;
    bool again = message.claim_asked;
    for (;;) {
        while (p->state == partition::phase::rebuilding ||
               (p->state == partition::phase::open && !redis.trouble().empty())) {
            if (steady::now() >= until) {
                // A session is not held for as long as Redis is away: the peer would lose patience.
                co_return again ? claimed::later : claimed::withdrawn;
            }
            co_await runtime::sleep(20ms);
        }
        if (p->state != partition::phase::open) {
            co_return again ? claimed::later : claimed::withdrawn;
        }
        claim_ref ref{.at = message.at,
                      .field = claim_field(message.dispatch.notification(), message.dispatch.attempt()),
                      .parts = message.parts};
        auto to = gateway;
        switch (co_await p->claims.take(std::move(ref), std::move(to), again)) {
        case claim_answer::mine:
            if (p->rebuilding) {
                again = true; // the rebuild began before the answer was heard, and has left this claim out
                break;
            }
            // While closing we still own it: the claim tells the next owner, whatever becomes of this send.
            co_return p->lost() ? claimed::withdrawn : claimed::yes;
        case claim_answer::taken:
            co_return claimed::in_doubt;
        case claim_answer::stale:
            start_rebuild(p);
            break;
        case claim_answer::unreachable:
            again = true;
            if (steady::now() >= until) {
                co_return claimed::later;
            }
            co_await runtime::sleep(20ms);
            break;
        }
    }
}

} // namespace semel::delivery
