#include "courier.hpp"

#include <base/codes.hpp>
#include <failpoint/failpoint.hpp>
#include <notice/content.hpp>
#include <wire/sealed.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <correlation/verification_code.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

// Together with engine_options::awaiting_after: a record of the range settles within some five seconds, or soon after.
constexpr auto patience_for_knowledge = 2'000ms;
constexpr auto patience_for_session = 2'000ms;
constexpr auto patience_for_redis = 5'000ms;
constexpr auto between_tries = 20ms;

ending failed_with(std::string code, std::string text) {
    settlement s;
    s.what = settlement::kind::failed;
    s.code = std::move(code);
    s.text = std::move(text);
    return settled{.how = std::move(s)};
}

ending postponed_for(milliseconds wait, std::string code) {
    return settled{.how = postponed(wait, std::move(code))};
}

std::string domain_of(const std::string& canonical) {
    const auto at = canonical.rfind('@');
    return at == std::string::npos ? std::string{} : canonical.substr(at + 1);
}

} // namespace

struct courier::letter {
    const v1::Dispatch& dispatch; // of the item
    base::campaign_id campaign;
    std::uint32_t campaign_rate = 0;
    outbound out;
    std::string domain; // email; else empty
    std::string content_sha256;
};

struct courier::held {
    lane* through = nullptr;
    passage inside;
    std::unique_ptr<staged> bytes;
    std::optional<at_work> claiming = {};
};

courier::courier(base::channel channel, const ports& p, partitions& all, lanes& ways, admission& gate,
                 outcomes& settling, ownership& owning)
    : channel_(channel)
    , ports_(p)
    , partitions_(all)
    , lanes_(ways)
    , admission_(gate)
    , outcomes_(settling)
    , ownership_(owning) {}

asio::awaitable<bool> courier::deliver(partition_ptr p, item& message) {
    SEMEL_FAILPOINT("delivery.message.started");
    auto how = co_await carry(p, message);
    co_return conclude(p, message, std::move(how));
}

bool courier::conclude(const partition_ptr& p, item& message, ending how) {
    if (auto* s = std::get_if<settled>(&how)) {
        outcomes_.settle(p, message, std::move(s->how), std::move(s->by));
        return true;
    }
    if (const auto* broken = std::get_if<unreadable>(&how)) {
        outcomes_.bury(p, message, broken->why);
        return true;
    }
    if (!p->lost()) {
        partitions_.enqueue(*p, std::move(message));
    }
    return false;
}

asio::awaitable<ending> courier::carry(const partition_ptr& p, item& message) {
    auto letter = co_await prepare(message);
    if (!letter) {
        co_return std::move(letter.error());
    }
    auto held = co_await stage(p, *letter);
    if (!held) {
        co_return std::move(held.error());
    }
    const auto token = co_await take_token(p, *letter, *held);
    if (!token) {
        co_return token.error();
    }
    if (auto other = co_await claim(p, message, *letter, *held)) {
        co_return std::move(*other);
    }
    co_return co_await release(p, message, *letter, *held, *token);
}

/// Whether the campaign still wants it.
std::optional<ending> courier::unwanted(const catalog::campaign& campaign, const v1::Dispatch& d) const {
    const auto stands = standing_of(campaign.state.phase(), d, ports_.clock.time().certain);
    if (stands == standing::unclear) {
        return untouched{}; // until the time is certain none is started
    }
    if (stands != standing::wanted) {
        return settled{.how = turned_away(stands, d)};
    }
    return std::nullopt;
}

asio::awaitable<courier::step<courier::letter>> courier::prepare(item& message) {
    const auto& d = message.dispatch;
    if (!message.unreadable.empty()) {
        co_return std::unexpected{ending{unreadable{message.unreadable}}};
    }
    const base::campaign_id id{d.campaign_id()};
    const auto campaign = co_await ports_.knowledge.find_within(id, patience_for_knowledge);
    if (!campaign) {
        co_return std::unexpected{postponed_for(0ms, codes::campaign_unknown)};
    }
    if (auto other = unwanted(*campaign, d)) {
        co_return std::unexpected{std::move(*other)};
    }
    if (!campaign->key) {
        co_return std::unexpected{failed_with(codes::key_destroyed, "the campaign's key was destroyed")};
    }
    const auto artifact_id = base::from_bytes<base::artifact_id>(d.artifact());
    if (!artifact_id) {
        co_return std::unexpected{failed_with(codes::no_artifact, "the record names no artifact")};
    }
    const auto artifact = co_await ports_.knowledge.find_within(*artifact_id, patience_for_knowledge);
    if (!artifact) {
        co_return std::unexpected{postponed_for(0ms, codes::artifact_unknown)};
    }
    co_return write(message, *campaign, *artifact);
}

courier::step<courier::letter> courier::write(item& message, const catalog::campaign& campaign,
                                              const v1::Artifact& artifact) {
    const auto& d = message.dispatch;
    const auto delivery = wire::open_delivery(*campaign.key, d);
    if (!delivery) {
        return std::unexpected{ending{unreadable{delivery.error().why()}}};
    }
    const auto give_up = d.give_up_us() == 0 ? std::nullopt : std::optional{base::from_us(d.give_up_us())};
    // The bytes of a message name no deadline that nobody chose: a later launch may move it, and an audit renders them
    // again from the campaign as it is then.
    const bool chosen = d.test() || campaign.state.deadline_basis().empty();
    auto code =
        notice::shows_verification(artifact)
            ? correlation::verification_code::of(*campaign.key, campaign.id, channel_, artifact.locale()).grouped()
            : std::string{};
    const notice::values values{.campaign = campaign.id,
                                .notification = base::from_bytes<base::notification_id>(d.notification()).value(),
                                .planned_at = base::from_us(d.planned_at_us()),
                                .delivery = &*delivery,
                                .test = d.test(),
                                .give_up = chosen ? give_up : std::nullopt,
                                .verification = std::move(code)};
    auto content = notice::fill(artifact, values);
    if (!content) {
        return std::unexpected{failed_with(codes::content, content.error().why())};
    }
    message.parts = static_cast<std::uint32_t>(content->parts.size());
    const auto& address = delivery->address();
    return letter{.dispatch = d,
                  .campaign = campaign.id,
                  .campaign_rate = campaign.state.rate_per_s(),
                  .out = {.notification = values.notification,
                          .attempt = d.attempt(),
                          .campaign = campaign.id,
                          // A phone number is sent in its canonical form: the form given may be national.
                          .address = channel_ == base::channel::sms ? address.canonical() : address.given(),
                          .transport = address.transport(),
                          .parts = std::move(content->parts),
                          .data_coding = content->data_coding,
                          .sender = std::move(content->sender),
                          .planned_at = values.planned_at,
                          .give_up = give_up},
                  .domain = domain_of(address.canonical()),
                  .content_sha256 = std::string{base::as_view(content->sha256)}};
}

ending courier::shut(const letter& l, milliseconds wait) const {
    return postponed_for(in_time(wait, l.dispatch, ports_.clock.time().certain), codes::lane_closed);
}

ending courier::at_limit(const letter& l, const lane& through, milliseconds stay_away) const {
    auto s = postponed(stay_away, codes::rate);
    if (lanes_.alone(l.out, l.dispatch)) {
        s.waits_for = through.name();
    }
    return settled{.how = std::move(s)};
}

/// Into a lane and to the gateway, but for the last bytes.
asio::awaitable<courier::step<courier::held>> courier::stage(const partition_ptr& p, const letter& l) {
    const auto chosen = lanes_.choose(l.out, l.dispatch);
    if (!chosen) {
        const auto wait = chosen.error().wait;
        co_return std::unexpected{
            wait ? shut(l, *wait)
                 : failed_with(codes::no_gateway, "no gateway of semel.yaml carries this kind of address")};
    }
    auto& lane = **chosen;
    switch (co_await admission_.find_room(lane, *p)) {
    case admission::leave::granted:
        break;
    case admission::leave::later:
        co_return std::unexpected{at_limit(l, lane, 0ms)};
    case admission::leave::withdrawn:
        co_return std::unexpected{ending{untouched{}}};
    }
    const auto entered = ports_.clock.now();
    if (!lane.takes(entered)) { // it was shut meanwhile
        co_return std::unexpected{shut(l, lanes_.shut_for(lane))};
    }
    passage inside{lanes_, lane, entered};
    const auto ours = [p] { return p->ours(); };
    if (const auto later = co_await admission_.take_shared(lane, l.domain, l.campaign, l.campaign_rate, ours)) {
        co_return std::unexpected{postponed_for(*later, codes::rate)};
    }
    const auto asked = ports_.clock.now();
    auto begun = co_await lane.gateway->stage(l.out, patience_for_session);
    if (std::holds_alternative<busy>(begun)) {
        co_return std::unexpected{postponed_for(0ms, codes::busy)};
    }
    if (const auto* not_sent = std::get_if<refused>(&begun)) {
        const auto v = lanes_.heed(lane, {.dispatch = l.dispatch, .domain = l.domain, .sent = asked, .released = false},
                                   not_sent->why());
        settled how{.how = judge(v, l.dispatch, ports_.clock.time().certain), .by = {.gateway = lane.name()}};
        co_return std::unexpected{ending{std::move(how)}};
    }
    SEMEL_FAILPOINT("delivery.message.staged");
    co_return held{
        .through = &lane, .inside = std::move(inside), .bytes = std::move(std::get<std::unique_ptr<staged>>(begun))};
}

/// The last that may keep it back: a resend that became needless, the pace, the gateway's rate, its campaign.
asio::awaitable<courier::step<base::instant>> courier::take_token(const partition_ptr& p, const letter& l, held& h) {
    const ending withdrawn = untouched{}; // unclaimed and unsettled: the next owner sends it
    if (!p->ours()) {
        co_return std::unexpected{withdrawn};
    }
    const auto& d = l.dispatch;
    if (d.resend() && co_await ports_.store.is_superseded(d.notification())) {
        co_return std::unexpected{
            failed_with(codes::superseded, "the copy before was accepted after all: this one was not sent")};
    }
    switch (co_await admission_.keep_pace(*h.through, l.domain, static_cast<unsigned>(l.out.parts.size()), *p)) {
    case admission::leave::granted:
        break;
    case admission::leave::later:
        co_return std::unexpected{at_limit(l, *h.through, 0ms)};
    case admission::leave::withdrawn:
        co_return std::unexpected{withdrawn};
    }
    const auto ours = [p] { return p->ours(); };
    const auto token = co_await admission_.take_own(*h.through, ours);
    if (!p->ours()) {
        co_return std::unexpected{withdrawn};
    }
    if (!token) {
        co_return std::unexpected{at_limit(l, *h.through, token.error())};
    }
    // Time has passed: an operator may have stopped the campaign.
    if (const auto current = ports_.knowledge.find(l.campaign)) {
        if (auto other = unwanted(*current, d)) {
            co_return std::unexpected{std::move(*other)};
        }
    }
    co_return *token;
}

/// From here on whoever takes over may have to call it in doubt.
asio::awaitable<std::optional<ending>> courier::claim(const partition_ptr& p, item& message, const letter& l, held& h) {
    // Whoever gives the partition up waits for those that have asked for a claim.
    h.claiming.emplace(partitions_, p, &workload::claiming);
    const auto& gateway = h.through->name();
    switch (co_await ask_for_claim(p, message, gateway)) {
    case claimed::yes:
        break;
    case claimed::in_doubt: {
        settled how;
        how.how.what = settlement::kind::in_doubt;
        how.how.code = codes::claimed;
        how.how.text = "an earlier claim stands for this attempt";
        how.by.gateway = gateway;
        co_return how;
    }
    case claimed::later:
        message.claim_asked = true;
        co_return untouched{};
    case claimed::withdrawn:
        co_return untouched{};
    }
    // In the same breath as the claim: were Redis lost before this, a rebuild would leave the claim out, and whoever
    // comes after a crash would send again.
    p->open_claims[message.at] = {.field = claim_field(l.dispatch.notification(), l.dispatch.attempt()),
                                  .value = encode_claim(p->title.owner, gateway, message.parts)};
    co_return std::nullopt;
}

asio::awaitable<ending> courier::release(const partition_ptr& p, const item& message, const letter& l, held& h,
                                         base::instant token) {
    co_await admission_.renew(*h.through, token);
    if (p->lost()) {
        co_return untouched{}; // its next owner has read the claim, and may have sent it again since
    }
    SEMEL_FAILPOINT("delivery.claim.taken");
#ifdef SEMEL_FAILPOINTS
    asio::post(co_await asio::this_coro::executor, [] { SEMEL_FAILPOINT("delivery.message.released"); });
#endif
    answer by{.gateway = h.through->name(), .content_sha256 = l.content_sha256};
    verdict v;
    {
        const outcomes::airborne flying{outcomes_,
                                        {.source = p,
                                         .message = &message,
                                         .gateway = by.gateway,
                                         .content_sha256 = by.content_sha256,
                                         .since = ports_.clock.now()}};
        v = co_await release_all(l, h);
        by.late = flying.late();
    }
    SEMEL_FAILPOINT("delivery.message.answered");
    by.message_id = v.message_id;
    note(p, message, v, by);
    co_return settled{.how = judge(v, l.dispatch, ports_.clock.time().certain), .by = std::move(by)};
}

/// Again those parts of an SMS that the gateway refused as too fast beside others, until it is decided.
asio::awaitable<verdict> courier::release_all(const letter& l, held& h) {
    for (;;) {
        const auto sent = ports_.clock.now();
        auto v = co_await h.bytes->release();
        const auto refused = v.parts.refused;
        v = lanes_.heed(*h.through, {.dispatch = l.dispatch, .domain = l.domain, .sent = sent}, std::move(v));
        if (!v.rest_after) {
            co_return v;
        }
        co_await pause(ports_.clock, *v.rest_after);
        co_await admission_.keep_pace_again(*h.through, refused);
    }
}

/// The outcome into the claim, for whoever takes over.
void courier::note(const partition_ptr& p, const item& message, const verdict& v, const answer& by) {
    if (v.what == verdict::kind::unknown || p->lost()) {
        return;
    }
    // Whoever inherits an ambiguous refusal knows only that it was one: another try says more.
    const bool unclear = v.what == verdict::kind::ambiguous;
    const claim_outcome outcome{.what = unclear ? verdict::kind::transient : v.what,
                                .gateway = by.gateway,
                                .code = v.code,
                                .message_id = v.message_id,
                                .content_sha256 = by.content_sha256};
    if (const auto open = p->open_claims.find(message.at); open != p->open_claims.end()) {
        open->second.value = encode(outcome);
    }
    const auto& d = message.dispatch;
    p->claims->note({.at = message.at, .field = claim_field(d.notification(), d.attempt()), .parts = message.parts},
                    outcome);
}

/// Waits until the claims stand and the store answers. False: it is not ours, or it takes too long: a session is not
/// held for as long as Redis is away, the peer would lose patience.
asio::awaitable<bool> courier::may_claim(const partition_ptr& p, base::instant until_when) {
    const auto answers = [&] { return ports_.store.trouble().empty(); };
    const auto decided = [&] { return !p->rebuilding() && !(p->is_open() && !answers()); };
    if (!decided() && !co_await until(ports_.clock, until_when, decided, ports_.store, p->phase_changed)) {
        co_return false;
    }
    co_return p->is_open();
}

asio::awaitable<courier::claimed> courier::ask_for_claim(partition_ptr p, const item& message,
                                                         const std::string& gateway) {
    const auto last = ports_.clock.now() + patience_for_redis;
    bool again = message.claim_asked;
    for (;;) {
        if (!co_await may_claim(p, last)) {
            co_return again ? claimed::later : claimed::withdrawn;
        }
        claim_ref ref{.at = message.at,
                      .field = claim_field(message.dispatch.notification(), message.dispatch.attempt()),
                      .parts = message.parts};
        auto to = gateway;
        switch (co_await p->claims->take(std::move(ref), std::move(to), again)) {
        case claim_answer::mine:
            if (p->rebuild_under_way()) {
                again = true; // the rebuild began before the answer was heard, and has left this claim out
                break;
            }
            // While closing we still own it: the claim tells the next owner, whatever becomes of this send.
            co_return p->lost() ? claimed::withdrawn : claimed::yes;
        case claim_answer::taken:
            co_return claimed::in_doubt;
        case claim_answer::stale:
            ownership_.start_rebuild(p);
            break;
        case claim_answer::unreachable:
            again = true;
            if (ports_.clock.now() >= last) {
                co_return claimed::later;
            }
            co_await pause(ports_.clock, between_tries);
            break;
        }
    }
}

} // namespace semel::delivery
