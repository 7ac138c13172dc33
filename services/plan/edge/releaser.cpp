#include "releaser.hpp"

#include "releaser_parts.hpp"
#include "wave_order.hpp"

#include <runtime/together.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds slice{1}; // then the next channel, wave or campaign gets its turn
constexpr std::chrono::milliseconds look_around{500};
constexpr std::chrono::milliseconds after_trouble{100};
constexpr std::chrono::seconds after_failed_recovery{1};
constexpr std::string_view front_keys = "release|";
constexpr std::string_view behind_keys = "behind|";

/// The most urgent first: what is left of the room when a round ends is somebody's who can wait.
std::vector<catalog::campaign_ptr> by_deadline(std::vector<catalog::campaign_ptr> campaigns) {
    std::ranges::sort(campaigns, {}, [](const catalog::campaign_ptr& c) {
        const auto deadline = c->state.deadline_us();
        return std::pair{deadline == 0 ? std::numeric_limits<std::int64_t>::max() : deadline, c->id.value()};
    });
    return campaigns;
}

} // namespace

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
    , reader_(executor, place)
    , group_(executor, place, "plan", "release", [this](share_ptr s) { return work(std::move(s)); })
    , rooms_{{base::channel::email, {}}, {base::channel::push, {}}, {base::channel::sms, {}}} {}

asio::awaitable<base::result<void>> releaser::recover(share_ptr mine) {
    std::vector<std::string> prefixes{std::string{front_keys}, std::string{behind_keys}};
    auto found = co_await group_.recover(mine, std::move(prefixes));
    if (!found) {
        co_return base::failed(found.error());
    }
    positions_.clear();
    for (const auto& [key, front] : *found) {
        if (!key.starts_with(front_keys)) {
            continue;
        }
        const auto behind = found->find(std::string{behind_keys} + key.substr(front_keys.size()));
        positions_.emplace(key, position{front, behind == found->end() ? nullptr : &behind->second});
    }
    decided_without_.clear();
    canary_ends_.clear();
    co_return base::result<void>{};
}

asio::awaitable<void> releaser::work(share_ptr mine) {
    for (auto known = co_await recover(mine); !known && !mine->ending(); known = co_await recover(mine)) {
        telemetry::log().warn("release.recovering", {{"why", known.error().why()}});
        co_await mine->wake.wait_for(after_failed_recovery);
    }
    while (!mine->ending()) {
        base::result<void> ok;
        const auto campaigns = by_deadline(campaigns_());
        co_await share_room(*mine, campaigns);
        bool busy = false;
        for (const auto& campaign : campaigns) {
            const auto done = co_await advance_all(mine, campaign);
            busy |= done && *done;
            if (!done) {
                ok = base::failed(done.error());
            }
            const auto why = done ? std::string{} : done.error().why();
            auto& said = said_[campaign->id.value()];
            if (why != said && !why.empty()) {
                telemetry::log().warn("release.waiting", {{"campaign", campaign->id.value()}, {"why", why}});
            }
            said = why;
        }
        if (!mine->ending() && !busy) {
            co_await mine->wake.wait_for(ok ? look_around : after_trouble);
        }
    }
}

/// All waves, in the order of their numbers: earlier ones first. One that cannot go on holds no other.
asio::awaitable<base::result<bool>> releaser::advance_all(share_ptr mine, catalog::campaign_ptr campaign) {
    bool busy = false;
    base::result<void> ok;
    for (const auto& wave : campaign->state.waves()) {
        if (mine->ending()) {
            break;
        }
        const auto done = co_await advance(mine, campaign, wave);
        busy |= done && *done;
        if (!done) {
            ok = base::failed(done.error().within(fmt::format("wave {}", wave.number())));
        }
    }
    if (!ok) {
        co_return base::failed(ok.error());
    }
    co_return busy;
}

asio::awaitable<base::result<bool>> releaser::advance(share_ptr mine, catalog::campaign_ptr campaign,
                                                      const v1::Wave& wave) {
    const auto stance = stance_of(campaign->state, wave, time_().certain);
    if (stance == stance::hold || !campaign->key) {
        co_return false;
    }
    const auto todo = errands(*mine, *campaign, wave, stance);
    if (todo.empty()) {
        co_return false;
    }
    if (auto in_order = co_await comes_in_order(campaign, wave); !in_order) {
        co_return base::failed(in_order.error());
    }
    const auto required = required_for(campaign->state, wave.number());
    if (!required) {
        co_return base::failed(fault::kind::transient,
                               "an earlier wave is not sealed yet, and its rows come first: seal it");
    }
    const auto opened = co_await open(*campaign, *required);
    if (!opened) {
        co_return base::failed(opened.error());
    }
    bool moved = false;
    for (const auto& one : todo) {
        pass p{mine, campaign, wave, stance, one};
        if (!goes_on(p)) {
            break;
        }
        p.required = *required;
        p.session = *opened;
        reader_.start(campaign, wave, one.stretches);
        const auto done = co_await advance(p);
        note_held(p);
        if (!done) {
            co_return base::failed(done.error());
        }
        moved |= *done;
    }
    co_return moved;
}

asio::awaitable<base::result<session>> releaser::open(const catalog::campaign& campaign,
                                                      std::span<const mark> required) {
    auto opened = co_await store_.open(campaign.id);
    if (!opened) {
        co_return base::failed(opened.error());
    }
    if (opened->made_now) {
        probe_.heads_made.add();
    }
    for (const auto& m : required) {
        if (!opened->head.has(m)) {
            register_missing_();
            co_return base::failed(fault::kind::transient, "the register is not complete yet");
        }
    }
    co_return std::move(*opened);
}

/// Read from all partitions of `progress`, those of other processes too, and once for each wave: a wave of which a
/// higher one knew nothing when it began will never be one that it knew of. What a channel has left behind was in order
/// when its rows were told of, and is held up with the rest of its wave all the same.
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
    auto ready = co_await prepare(p, allowed(p, {}));
    bool moved = false;
    while (ready && !ready->chunks.empty() && goes_on(p)) {
        co_await backlog_.refresh();
        const auto more = clock::now() < until ? allowed(p, ready->messages(p.todo.on)) : 0;
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
    if (p.mine->ending() || stance_of(p.campaign->state, p.wave, time_().certain) != p.stance) {
        return false;
    }
    // A newer version of the campaign may pause it, cancel it or change its pace: begin anew with it.
    const auto all = campaigns_();
    return std::ranges::find(all, p.campaign) != all.end();
}

} // namespace semel::plan
