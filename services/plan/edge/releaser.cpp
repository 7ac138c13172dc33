#include "releaser.hpp"

#include "wave_order.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t chunks_in_a_transaction = 16; // some 8,000 rows
constexpr double messages_of_a_chunk = 500;         // on one channel, as intake writes them
constexpr std::chrono::seconds slice{2};            // then the next wave or campaign gets its turn
constexpr std::chrono::milliseconds look_around{500};
constexpr std::chrono::milliseconds after_trouble{100};
constexpr std::chrono::seconds after_failed_recovery{1};
constexpr std::size_t largest_event_record = 400'000; // of Kafka's 1 MB

} // namespace

/// One wave under one version of its campaign and one session of the register.
struct releaser::pass {
    pass(std::shared_ptr<share> s, catalog::campaign_ptr c, const v1::Wave& w, plan::stance st)
        : mine(std::move(s))
        , campaign(std::move(c))
        , wave(w)
        , stance(st)
        , messages(campaign->state, *campaign->key, w.number()) {}

    std::shared_ptr<share> mine;
    catalog::campaign_ptr campaign;
    const v1::Wave& wave; // in campaign->state
    plan::stance stance;
    release_messages messages;
    plan::session session;
    std::vector<mark> required;
    std::map<std::int32_t, kafka::offset> ends;
};

struct releaser::batch {
    std::vector<chunk> chunks;
    std::vector<decision> decisions; // one for each person of the chunks, in order
    std::map<base::channel, double> messages() const {
        std::map<base::channel, double> count;
        std::size_t i = 0;
        for (const auto& c : chunks) {
            for (const auto& p : c.people) {
                for (const auto& v : decisions[i].verdicts) {
                    count[p.places[v.place].channel] += v.role == role::own ? 1 : 0;
                }
                ++i;
            }
        }
        return count;
    }
};

releaser::releaser(asio::any_io_executor executor, kafka_place place, redis::client& redis, campaign_source campaigns,
                   probe& probe, std::function<void()> register_missing, base::time_source time, pace ahead)
    : executor_(executor)
    , place_(place)
    , store_(redis)
    , campaigns_(std::move(campaigns))
    , probe_(probe)
    , register_missing_(std::move(register_missing))
    , time_(std::move(time))
    , pace_(ahead)
    , backlog_(place, ahead)
    , producer_(executor, {.bootstrap = place.bootstrap, .transactional_id = place.group(place.instance + ".release")})
    , reader_(executor, place)
    , group_(executor, place, "plan", [this](std::shared_ptr<share> s) { return work(std::move(s)); }) {}

asio::awaitable<base::result<void>> releaser::recover(std::shared_ptr<share> mine) {
    co_await producer_.rebuild();
    auto found = co_await group_.recover(mine, "release|");
    if (!found) {
        co_return base::failed(found.error());
    }
    turns_ = std::move(found->turns);
    positions_ = std::move(found->progress);
    decided_without_.clear();
    trusted_ = true;
    co_return base::result<void>{};
}

asio::awaitable<void> releaser::work(std::shared_ptr<share> mine) {
    trusted_ = false;
    while (!mine->ending) {
        bool busy = false;
        auto ok = trusted_ ? base::result<void>{} : co_await recover(mine);
        if (!ok) {
            telemetry::log().warn("release.recovering", {{"why", ok.error().why()}});
            co_await mine->wake.wait_for(after_failed_recovery);
            continue;
        }
        for (const auto& campaign : campaigns_()) {
            std::string why;
            for (const auto& wave : campaign->state.waves()) { // in the order of their numbers: earlier ones first
                if (mine->ending || !trusted_) {
                    break;
                }
                const auto done = co_await advance(mine, campaign, wave);
                busy |= done && *done;
                if (!done) {
                    why = fmt::format("wave {}: {}", wave.number(), done.error().why());
                    ok = base::failed(done.error());
                }
            }
            auto& said = said_[campaign->id.value()];
            if (why != said && !why.empty()) {
                telemetry::log().warn("release.waiting", {{"campaign", campaign->id.value()}, {"why", why}});
            }
            said = why;
        }
        if (!mine->ending && !busy) {
            co_await mine->wake.wait_for(ok ? look_around : after_trouble);
        }
    }
}

std::vector<stretch> releaser::left_of(const share& mine, const catalog::campaign& campaign,
                                       const v1::Wave& wave) const {
    std::vector<stretch> left;
    for (const auto& span : wave.spans()) {
        const auto partition = static_cast<std::int32_t>(span.partition());
        if (!mine.owns(partition)) {
            continue;
        }
        const auto found = positions_.find(wire::release_progress_key(campaign.id, wave.number(), partition));
        const auto next = found == positions_.end() ? span.start_offset() : found->second.next_offset();
        if (next < span.end_offset()) {
            left.push_back({partition, next, span.end_offset()});
        }
    }
    return left;
}

asio::awaitable<base::result<bool>> releaser::advance(std::shared_ptr<share> mine, catalog::campaign_ptr campaign,
                                                      const v1::Wave& wave) {
    const auto stance = stance_of(campaign->state, wave, time_().certain);
    const auto left = left_of(*mine, *campaign, wave);
    if (stance == stance::hold || left.empty() || !campaign->key) {
        co_return false;
    }
    if (auto in_order = co_await comes_in_order(campaign, wave); !in_order) {
        co_return base::failed(in_order.error());
    }
    pass p{mine, campaign, wave, stance};
    auto required = required_for(campaign->state, wave.number());
    if (!required) {
        co_return base::failed(fault::kind::transient,
                               "an earlier wave is not sealed yet, and its rows come first: seal it");
    }
    p.required = std::move(*required);
    auto opened = co_await store_.open(campaign->id);
    if (!opened) {
        co_return base::failed(opened.error());
    }
    if (opened->made_now) {
        probe_.heads_made.add();
    }
    p.session = std::move(*opened);
    for (const auto& m : p.required) {
        if (!p.session.head.has(m)) {
            register_missing_();
            co_return base::failed(fault::kind::transient, "the register is not complete yet");
        }
    }
    for (const auto& s : left) {
        p.ends[s.partition] = s.end;
    }
    reader_.start(campaign, wave, left);
    co_return co_await advance(p);
}

/// Read from all partitions of `progress`, those of other processes too, and once for each wave: a wave of which a
/// higher one knew nothing when it began will never be one that it knew of.
asio::awaitable<base::result<void>> releaser::comes_in_order(catalog::campaign_ptr campaign, const v1::Wave& wave) {
    const auto higher_launched = [&](const v1::Wave& w) {
        return w.number() > wave.number() && w.phase() == v1::WAVE_LAUNCHED;
    };
    if (std::ranges::none_of(campaign->state.waves(), higher_launched)) {
        co_return base::result<void>{};
    }
    const std::pair key{campaign->id.value(), wave.number()};
    auto known = decided_without_.find(key);
    if (known == decided_without_.end()) {
        const auto begun = co_await begun_waves(executor_, place_, campaign->id);
        if (!begun) {
            co_return base::failed(begun.error());
        }
        known = decided_without_.emplace(key, decided_without(*begun, wave.number())).first;
    }
    if (known->second != 0) {
        co_return base::failed(too_late(*campaign, wave.number(), known->second));
    }
    co_return base::result<void>{};
}

/// The registrars may not know of it yet.
base::fault releaser::lost(const base::fault& f) {
    if (f.retryable()) {
        probe_.losses.add();
        register_missing_();
    }
    return f;
}

/// While one batch is built and committed, the next one is read and looked up.
asio::awaitable<base::result<bool>> releaser::advance(pass& p) {
    const auto until = clock::now() + slice;
    co_await backlog_.refresh();
    auto ready = co_await prepare(p, allowed(p, 0));
    bool moved = false;
    while (ready && !ready->chunks.empty() && goes_on(p)) {
        co_await backlog_.refresh();
        double on_its_way = 0;
        for (const auto& [channel, n] : ready->messages()) {
            on_its_way = std::max(on_its_way, n);
        }
        const auto more = clock::now() < until ? allowed(p, on_its_way) : 0;
        auto [emitted, next] = co_await runtime::both(emit(p, *ready), prepare(p, more));
        if (!emitted) {
            co_return base::failed(emitted.error());
        }
        moved = true;
        ready = std::move(next);
    }
    if (!ready) {
        co_return base::failed(lost(ready.error()));
    }
    co_return moved;
}

bool releaser::goes_on(const pass& p) const {
    if (p.mine->ending || stance_of(p.campaign->state, p.wave, time_().certain) != p.stance) {
        return false;
    }
    // A newer version of the campaign may pause it, cancel it or change its pace: begin anew with it.
    const auto all = campaigns_();
    return std::ranges::find(all, p.campaign) != all.end();
}

std::size_t releaser::allowed(const pass& p, double not_yet_counted) {
    if (p.stance != stance::send) {
        return chunks_in_a_transaction; // nothing goes to the dispatchers
    }
    auto room = backlog_.room(p.campaign->state.channels()) - not_yet_counted;
    if (const auto rate = p.campaign->state.rate_per_s(); rate != 0) {
        const auto share = static_cast<double>(p.mine->partitions.size()) / place_.partitions;
        auto& own =
            allowances_.try_emplace(p.campaign->id.value(), rate * share, pace_, base::instant_now()).first->second;
        if (own.per_second() != rate * share) {
            own = allowance{rate * share, pace_, base::instant_now()};
        }
        room = std::min(room, own.left(base::instant_now()) - not_yet_counted);
    }
    if (room <= 0) {
        return 0;
    }
    return std::clamp<std::size_t>(static_cast<std::size_t>(room / messages_of_a_chunk), 1, chunks_in_a_transaction);
}

asio::awaitable<base::result<releaser::batch>> releaser::prepare(pass& p, std::size_t chunks) {
    batch b;
    if (chunks == 0) {
        co_return b;
    }
    b.chunks = co_await reader_.next(chunks);
    std::vector<crypto::hash128> ids;
    std::vector<crypto::hash128> keys;
    for (const auto& c : b.chunks) {
        for (const auto& person : c.people) {
            ids.push_back(person.id);
            std::ranges::transform(person.places, std::back_inserter(keys), &place::key);
        }
    }
    std::vector<entry> id_entries;
    std::vector<standing> standings(keys.size());
    for (const auto& wave : p.campaign->state.waves()) {
        if (wave.number() > p.wave.number() || is_dropped(wave)) {
            continue;
        }
        const auto shape = layout::of(wave.rows(), p.campaign->state.channels_size());
        const bool own = wave.number() == p.wave.number();
        if (own) {
            auto found = co_await store_.look_up(p.session, wave.number(), shape, ids, p.required);
            if (!found) {
                co_return base::failed(found.error());
            }
            id_entries = std::move(*found);
        }
        const auto found = co_await store_.look_up(p.session, wave.number(), shape, keys, p.required);
        if (!found) {
            co_return base::failed(found.error());
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (own) {
                standings[i].here = (*found)[i];
            } else {
                standings[i].told_earlier |= (*found)[i].row != 0;
                standings[i].told_segments |= (*found)[i].segments;
            }
        }
    }
    std::size_t id = 0;
    std::span<const standing> rest{standings};
    for (const auto& c : b.chunks) {
        for (const auto& person : c.people) {
            auto d = decide(person, id_entries[id++], rest.first(person.places.size()));
            rest = rest.subspan(person.places.size());
            if (!d) {
                telemetry::log().error(
                    "register.contradicts_audience",
                    {{"campaign", p.campaign->id.value()}, {"wave", p.wave.number()}, {"row", person.mine.row}});
                if (auto gone = co_await store_.condemn(p.session); !gone) {
                    co_return base::failed(gone.error());
                }
                co_return base::failed(
                    fault::kind::transient,
                    fmt::format("Redis has lost entries of row {}: the register is built anew", person.mine.row));
            }
            b.decisions.push_back(std::move(*d));
        }
    }
    SEMEL_FAILPOINT("plan.release.looked_up");
    co_return b;
}

asio::awaitable<base::result<void>> releaser::emit(pass& p, batch& b) {
    const auto begun = clock::now();
    const auto how = p.stance == stance::send     ? fate::dispatched
                     : p.stance == stance::cancel ? fate::cancelled
                                                  : fate::expired;
    released out;
    std::vector<std::pair<std::string, const chunk*>> dead;
    std::map<std::int32_t, kafka::offset> next;
    std::size_t i = 0;
    for (const auto& c : b.chunks) {
        next[c.partition] = c.offset + 1;
        if (!c.unreadable.empty()) {
            dead.emplace_back(fmt::format("audience partition {} offset {}", c.partition, c.offset), &c);
            out.events.push_back(p.messages.dead_letter(dead.back().first, c.unreadable, c.rows, time_().best));
        }
        for (std::size_t k = 0; k < c.people.size(); ++k) {
            const auto& recipient = c.content.recipients(static_cast<int>(k));
            const auto ok = p.messages.append(out, recipient, c.people[k], b.decisions[i++], how, time_().best);
            if (!ok) {
                co_return base::failed(ok.error());
            }
        }
        co_await asio::post(asio::use_awaitable); // the look-ups of the next batch want to be heard
    }

    producer_.begin();
    co_await produce(out);
    const kafka::topic_partition letters{place_.topic(wire::dead_letter), 0};
    for (const auto& [where, c] : dead) {
        telemetry::log().error("record.unusable",
                               {{"campaign", p.campaign->id.value()}, {"where", where}, {"why", c->unreadable}});
        co_await producer_.produce(letters, where + ": " + c->unreadable, c->raw);
    }
    std::vector<kafka::commit> offsets;
    std::map<std::string, v1::Progress> moved;
    for (const auto& [partition, offset] : next) {
        const auto key = wire::release_progress_key(p.campaign->id, p.wave.number(), partition);
        auto& progress = moved[key];
        progress.set_next_offset(offset);
        progress.set_done(offset >= p.ends[partition]);
        progress.set_turn(turns_[partition] + 1);
        if (const auto before = positions_.find(key); before != positions_.end()) {
            *progress.mutable_after() = before->second.after();
        } else {
            const auto earlier = earlier_waves(p.campaign->state, p.wave.number());
            progress.mutable_after()->Assign(earlier.begin(), earlier.end());
        }
        const auto bytes = progress.SerializeAsString();
        const kafka::topic_partition to{place_.topic(wire::progress), wire::progress_partition(key, place_.partitions)};
        co_await producer_.produce(to, key, bytes);
        offsets.push_back({{place_.topic(wire::audience), partition}, static_cast<kafka::offset>(progress.turn()), {}});
    }
    SEMEL_FAILPOINT("plan.release.produced");
    if (auto still = co_await store_.confirm(p.session); !still) {
        co_await producer_.abort();
        co_return base::failed(lost(still.error()));
    }
    SEMEL_FAILPOINT("plan.release.confirmed");
    const auto result = co_await producer_.commit(std::move(offsets), p.mine->as);
    SEMEL_FAILPOINT("plan.release.committed");
    probe_.seconds.observe(std::chrono::duration<double>(clock::now() - begun).count());
    if (result.outcome != kafka::outcome::committed) {
        probe_.failed_transactions.add();
        trusted_ = result.outcome == kafka::outcome::aborted;
        co_return base::failed(fault::kind::transient, "the transaction was not committed: " + result.why);
    }
    for (auto& [key, progress] : moved) {
        positions_[key] = std::move(progress);
    }
    for (const auto& [partition, offset] : next) {
        ++turns_[partition];
    }
    probe_.transactions.add();
    probe_.released.add(static_cast<double>(b.decisions.size()));
    probe_.dead_letters.add(static_cast<double>(dead.size()));
    double all = 0;
    for (const auto& [channel, n] : b.messages()) {
        if (how == fate::dispatched) {
            backlog_.released(channel, n);
            probe_.messages.at(channel).add(n);
            all += n;
        }
    }
    if (const auto own = allowances_.find(p.campaign->id.value()); own != allowances_.end()) {
        own->second.spend(all);
    }
    co_return base::result<void>{};
}

asio::awaitable<void> releaser::produce(const released& out) {
    kafka::topic_partition to;
    for (const auto& m : out.messages) {
        to.topic = place_.topic(wire::dispatch(m.channel));
        to.partition = base::partition_of(base::as_view(m.notification), place_.partitions);
        co_await producer_.produce(to, base::as_view(m.notification), m.dispatch);
    }
    to.topic = place_.topic(wire::events);
    std::map<std::int32_t, std::pair<v1::EventBatch, std::size_t>> batches;
    for (const auto& e : out.events) {
        to.partition = base::partition_of(e.subject, place_.partitions);
        auto& [batch, size] = batches[to.partition];
        *batch.add_events() = e.event;
        size += e.event.ByteSizeLong();
        if (size >= largest_event_record) {
            co_await producer_.produce(to, {}, batch.SerializeAsString());
            batch.Clear();
            size = 0;
        }
    }
    for (const auto& [partition, batch] : batches) {
        if (batch.first.events_size() != 0) {
            to.partition = partition;
            co_await producer_.produce(to, {}, batch.first.SerializeAsString());
        }
    }
}

} // namespace semel::plan
