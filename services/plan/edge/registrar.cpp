#include "registrar.hpp"

#include "wave_order.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;

namespace {

// How often a process looks whether Redis still has what it registered. Release notices a loss by itself, but only in
// the process that releases; the others must come to know of it too.
constexpr std::chrono::milliseconds look_around{500};
constexpr std::chrono::milliseconds after_trouble{100};
constexpr std::chrono::seconds after_failed_recovery{1};
constexpr std::size_t chunks_at_once = 8;

std::vector<keyed_entry> entries_of(const std::vector<chunk>& chunks) {
    std::vector<keyed_entry> entries;
    for (const auto& c : chunks) {
        for (const auto& p : c.people) {
            entries.push_back({p.id, {p.mine.row, 0}});
            for (const auto& at : p.places) {
                entries.push_back({at.key, p.mine});
            }
        }
    }
    return entries;
}

void count(v1::Registered& totals, const std::vector<chunk>& chunks) {
    auto& addresses = *totals.mutable_addresses();
    for (const auto& c : chunks) {
        totals.set_recipients(totals.recipients() + c.people.size());
        for (const auto& p : c.people) {
            totals.set_unreachable(totals.unreachable() + (p.places.empty() ? 1 : 0));
            for (const auto& at : p.places) {
                ++addresses[std::string{base::to_string(at.channel)}];
            }
        }
    }
}

} // namespace

registrar::registrar(asio::any_io_executor executor, kafka_place place, redis::client& redis, campaign_source campaigns,
                     probe& probe)
    : executor_(executor)
    , place_(place)
    , redis_(redis)
    , store_(redis)
    , campaigns_(std::move(campaigns))
    , probe_(probe)
    , reader_(executor, place)
    , sweeper_(executor, place.bootstrap, [this](const kafka::record& r) { return needs(r); })
    , group_(executor, place, "plan-register", "register", [this](share_ptr s) { return work(std::move(s)); }) {}

asio::awaitable<base::result<void>> registrar::recover(share_ptr mine) {
    std::vector<std::string> prefixes{"register|"};
    auto found = co_await group_.recover(mine, std::move(prefixes));
    if (!found) {
        co_return base::failed(found.error());
    }
    reported_.clear();
    for (const auto& [key, p] : *found) {
        if (p.done()) {
            reported_.insert(key);
        }
    }
    co_return base::result<void>{};
}

asio::awaitable<void> registrar::work(share_ptr mine) {
    for (auto known = co_await recover(mine); !known && !mine->ending(); known = co_await recover(mine)) {
        telemetry::log().warn("register.recovering", {{"why", known.error().why()}});
        co_await mine->wake.wait_for(after_failed_recovery);
    }
    while (!mine->ending()) {
        base::result<void> ok;
        for (const auto& campaign : campaigns_()) {
            if (mine->ending()) {
                break;
            }
            ok = co_await catch_up(mine, campaign);
            auto& said = said_[campaign->id.value()];
            const auto why = ok ? std::string{} : ok.error().why();
            if (why != said && !why.empty()) {
                telemetry::log().warn("register.waiting", {{"campaign", campaign->id.value()}, {"why", why}});
            }
            said = why;
        }
        co_await sweep(mine);
        if (!mine->ending()) {
            co_await mine->wake.wait_for(ok ? look_around : after_trouble);
        }
    }
}

/// Of a record of `audience`. One that cannot be read, or of a campaign that is not known here (yet), is kept.
bool registrar::needs(const kafka::record& r) const {
    v1::AudienceRecord record;
    const auto age = std::chrono::milliseconds{base::to_us(base::now()) / 1'000 - r.timestamp_ms()};
    return age < place_.kept_afterwards ||
           !record.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())) ||
           !closed_.contains(record.campaign_id());
}

asio::awaitable<void> registrar::sweep(share_ptr mine) {
    const auto now = std::chrono::steady_clock::now();
    if (mine->ending() || now - swept_at_ < place_.between_sweeps) {
        co_return;
    }
    swept_at_ = now;
    closed_.clear();
    for (const auto& campaign : campaigns_()) {
        if (!needs_audience(campaign->state, accounted_for_.contains(campaign->id.value()))) {
            closed_.insert(campaign->id.value());
        }
    }
    if (closed_.empty()) {
        co_return;
    }
    std::vector<kafka::start> all;
    for (const auto partition : mine->partitions()) {
        all.push_back({{place_.topic(wire::audience), partition}, std::numeric_limits<kafka::offset>::max()});
    }
    if (const auto swept = co_await sweeper_.sweep(std::move(all)); !swept) {
        telemetry::log().warn("audience.not_swept", {{"why", swept.error().why()}});
    }
}

/// Every process must come to the same answer: one that registers what another takes away would never be done.
asio::awaitable<base::result<bool>> registrar::is_over(const catalog::campaign& campaign) {
    const auto demand = demand_of(campaign.state);
    if (demand != demand::winding) {
        co_return demand == demand::over;
    }
    if (!accounted_for_.contains(campaign.id.value())) {
        // All of `progress`, but only for the seconds between a cancel and its last row.
        const auto positions = co_await release_positions(executor_, place_, campaign.id);
        if (!positions) {
            co_return base::failed(positions.error());
        }
        if (!all_accounted_for(campaign.state, *positions)) {
            co_return false;
        }
        accounted_for_.insert(campaign.id.value());
    }
    co_return true;
}

/// One process does it for each campaign: the owner of the partition that its id falls to.
asio::awaitable<base::result<void>> registrar::remove(share_ptr mine, catalog::campaign_ptr campaign) {
    const auto& id = campaign->id.value();
    if (!mine->owns(wire::progress_partition(id, place_.partitions))) {
        co_return base::result<void>{};
    }
    const auto now = std::chrono::steady_clock::now();
    // A process that did not know yet that the campaign is over may have begun its register anew: looked for after a
    // second, and then less and less often.
    look next{.generation = redis_.generation(), .next = now};
    if (const auto last = removed_.find(id); last != removed_.end() && last->second.generation == next.generation) {
        if (now < last->second.next) {
            co_return base::result<void>{};
        }
        next.pauses = last->second.pauses;
    }
    std::vector<registered_wave> waves;
    for (const auto& wave : campaign->state.waves()) {
        waves.push_back({wave.number(), layout::of(wave.rows(), campaign->state.channels_size())});
    }
    auto removal = co_await store_.begin_removal(campaign->id, std::move(waves));
    if (!removal) {
        co_return base::failed(removal.error());
    }
    next.generation = redis_.generation();
    const bool anything = !removal->marker.empty();
    for (;;) {
        if (mine->ending()) {
            co_return base::failed(fault::kind::stopping, "the partitions are given back");
        }
        const auto more = co_await store_.remove_some(*removal);
        if (!more) {
            co_return base::failed(more.error());
        }
        SEMEL_FAILPOINT("plan.removal.step");
        if (!*more) {
            break;
        }
    }
    next.next = now + next.pauses.next();
    removed_.insert_or_assign(id, next);
    if (anything) {
        probe_.removed.add();
        telemetry::log().info("register.removed", {{"campaign", id}});
    }
    co_return base::result<void>{};
}

asio::awaitable<base::result<void>> registrar::catch_up(share_ptr mine, catalog::campaign_ptr campaign) {
    const auto over = co_await is_over(*campaign);
    if (!over) {
        co_return base::failed(over.error());
    }
    if (*over) {
        co_return co_await remove(mine, campaign);
    }
    removed_.erase(campaign->id.value());
    std::set<mark> wanted;
    for (const auto& m : to_register(campaign->state)) {
        if (mine->owns(static_cast<std::int32_t>(m.partition))) {
            wanted.insert(m);
        }
    }
    if (wanted.empty() || !campaign->key) {
        co_return base::result<void>{};
    }
    const auto opened = co_await store_.open(campaign->id);
    if (!opened) {
        co_return base::failed(opened.error());
    }
    if (opened->made_now) {
        probe_.heads_made.add();
        telemetry::log().info("register.begun", {{"campaign", campaign->id.value()}});
    }
    base::result<void> in_order;
    for (const auto& wave : campaign->state.waves()) {
        if (const auto higher = launched_without(campaign->state, wave); higher != 0) {
            in_order = base::failed(too_late(*campaign, wave.number(), higher));
            continue;
        }
        for (const auto& span : wave.spans()) {
            const mark m{wave.number(), span.partition(), span.end_offset()};
            const auto key =
                wire::register_progress_key(campaign->id, wave.number(), static_cast<int>(span.partition()));
            const bool reported = reported_.contains(key);
            if (!wanted.contains(m) || (opened->head.has(m) && reported)) {
                continue;
            }
            auto totals = co_await register_span(mine, *opened, campaign, wave, span);
            if (!totals) {
                co_return base::failed(totals.error());
            }
            if (!reported) {
                if (auto told = co_await report(mine, campaign, std::move(*totals)); !told) {
                    co_return told;
                }
            }
        }
    }
    co_return in_order;
}

asio::awaitable<base::result<v1::Registered>> registrar::register_span(share_ptr mine, const session& s,
                                                                       catalog::campaign_ptr campaign,
                                                                       const v1::Wave& wave,
                                                                       const v1::AudienceSpan& span) {
    v1::Registered totals;
    totals.set_wave(wave.number());
    totals.set_partition(span.partition());
    totals.set_end_offset(span.end_offset());
    const auto shape = layout::of(wave.rows(), campaign->state.channels_size());
    const std::vector<stretch> whole{
        {static_cast<std::int32_t>(span.partition()), span.start_offset(), span.end_offset()}};
    reader_.start(campaign, wave, whole);
    auto chunks = co_await reader_.next(chunks_at_once);
    while (!chunks.empty()) {
        if (mine->ending()) {
            co_return base::failed(fault::kind::stopping, "the partitions are given back");
        }
        const auto entries = entries_of(chunks);
        auto [put, following] =
            co_await runtime::both(store_.put(s, wave.number(), shape, entries), reader_.next(chunks_at_once));
        if (!put) {
            co_return base::failed(put.error());
        }
        SEMEL_FAILPOINT("plan.register.put");
        const auto before = totals.recipients();
        count(totals, chunks);
        probe_.registered.add(static_cast<double>(totals.recipients() - before));
        chunks = std::move(following);
    }
    if (auto marked = co_await store_.mark(s, {wave.number(), span.partition(), span.end_offset()}); !marked) {
        co_return base::failed(marked.error());
    }
    SEMEL_FAILPOINT("plan.register.marked");
    telemetry::log().info("register.span_finished", {{"campaign", campaign->id.value()},
                                                     {"wave", wave.number()},
                                                     {"partition", span.partition()},
                                                     {"recipients", totals.recipients()}});
    co_return totals;
}

asio::awaitable<base::result<void>> registrar::report(share_ptr mine, catalog::campaign_ptr campaign,
                                                      v1::Registered totals) {
    const auto partition = static_cast<std::int32_t>(totals.partition());
    const auto key = wire::register_progress_key(campaign->id, totals.wave(), partition);
    v1::Progress progress;
    progress.set_next_offset(totals.end_offset());
    progress.set_done(true);
    progress.set_turn(mine->next_turn(partition));
    v1::Feedback feedback;
    feedback.set_campaign_id(campaign->id.value());
    *feedback.mutable_registered() = std::move(totals);
    const auto feedback_bytes = feedback.SerializeAsString();
    const auto progress_bytes = progress.SerializeAsString();

    auto transaction = co_await group_.begin(mine);
    if (!transaction) {
        co_return base::failed(transaction.error());
    }
    const kafka::topic_partition to_api{place_.topic(wire::feedback), 0};
    const kafka::topic_partition to_progress{place_.topic(wire::progress),
                                             wire::progress_partition(key, place_.partitions)};
    co_await transaction->produce(to_api, campaign->id.value(), feedback_bytes);
    co_await transaction->produce(to_progress, key, progress_bytes);
    SEMEL_FAILPOINT("plan.report.produced");
    std::vector<kafka::commit> offsets{mine->turn(partition)};
    const auto became = co_await transaction->commit(std::move(offsets));
    SEMEL_FAILPOINT("plan.report.committed");
    if (became == kafka::settled::committed) {
        probe_.transactions.add();
        reported_.insert(key);
        co_return base::result<void>{};
    }
    probe_.failed_transactions.add();
    co_return base::failed(fault::kind::transient, "the transaction was not committed");
}

} // namespace semel::plan
