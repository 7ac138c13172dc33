#include "registrar.hpp"

#include "wave_order.hpp"

#include <failpoint/failpoint.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

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
    : place_(place)
    , store_(redis)
    , campaigns_(std::move(campaigns))
    , probe_(probe)
    , producer_(executor, {.bootstrap = place.bootstrap, .transactional_id = place.group(place.instance + ".register")})
    , reader_(executor, place)
    , group_(executor, place, "plan-register", [this](std::shared_ptr<share> s) { return work(std::move(s)); }) {}

asio::awaitable<base::result<void>> registrar::recover(std::shared_ptr<share> mine) {
    co_await producer_.rebuild();
    auto found = co_await group_.recover(mine, "register|");
    if (!found) {
        co_return base::failed(found.error());
    }
    turns_ = std::move(found->turns);
    reported_.clear();
    for (const auto& [key, p] : found->progress) {
        if (p.done()) {
            reported_.insert(key);
        }
    }
    trusted_ = true;
    co_return base::result<void>{};
}

asio::awaitable<void> registrar::work(std::shared_ptr<share> mine) {
    trusted_ = false; // other partitions, or other processes' work since we last had these
    while (!mine->ending) {
        auto ok = trusted_ ? base::result<void>{} : co_await recover(mine);
        if (!ok) {
            telemetry::log().warn("register.recovering", {{"why", ok.error().why()}});
            co_await mine->wake.wait_for(after_failed_recovery);
            continue;
        }
        for (const auto& campaign : campaigns_()) {
            if (mine->ending || !trusted_) {
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
        if (!mine->ending) {
            co_await mine->wake.wait_for(ok ? look_around : after_trouble);
        }
    }
}

asio::awaitable<base::result<void>> registrar::catch_up(std::shared_ptr<share> mine, catalog::campaign_ptr campaign) {
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

asio::awaitable<base::result<v1::Registered>> registrar::register_span(std::shared_ptr<share> mine, const session& s,
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
        if (mine->ending) {
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

asio::awaitable<base::result<void>> registrar::report(std::shared_ptr<share> mine, catalog::campaign_ptr campaign,
                                                      v1::Registered totals) {
    const auto partition = static_cast<std::int32_t>(totals.partition());
    const auto key = wire::register_progress_key(campaign->id, totals.wave(), partition);
    const auto turn = turns_[partition] + 1;
    v1::Progress progress;
    progress.set_next_offset(totals.end_offset());
    progress.set_done(true);
    progress.set_turn(turn);
    v1::Feedback feedback;
    feedback.set_campaign_id(campaign->id.value());
    *feedback.mutable_registered() = std::move(totals);
    const auto feedback_bytes = feedback.SerializeAsString();
    const auto progress_bytes = progress.SerializeAsString();

    producer_.begin();
    const kafka::topic_partition to_api{place_.topic(wire::feedback), 0};
    const kafka::topic_partition to_progress{place_.topic(wire::progress),
                                             wire::progress_partition(key, place_.partitions)};
    co_await producer_.produce(to_api, campaign->id.value(), feedback_bytes);
    co_await producer_.produce(to_progress, key, progress_bytes);
    SEMEL_FAILPOINT("plan.report.produced");
    std::vector<kafka::commit> offsets{
        {{place_.topic(wire::audience), partition}, static_cast<kafka::offset>(turn), {}}};
    const auto result = co_await producer_.commit(std::move(offsets), mine->as);
    SEMEL_FAILPOINT("plan.report.committed");
    if (result.outcome == kafka::outcome::committed) {
        probe_.transactions.add();
        turns_[partition] = turn;
        reported_.insert(key);
        co_return base::result<void>{};
    }
    probe_.failed_transactions.add();
    trusted_ = result.outcome == kafka::outcome::aborted;
    co_return base::failed(fault::kind::transient, "the transaction was not committed: " + result.why);
}

} // namespace semel::plan
