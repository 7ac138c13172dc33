#include "town.hpp"

#include "sim_clock.hpp"

#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <semel/v1/events.pb.h>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace semel::simulation {

namespace {

constexpr std::int32_t partitions = 2;
constexpr duration session = 6s;
constexpr auto channel = base::channel::sms;
constexpr const char* most_people = "c-most";
constexpr const char* some_people = "c-some";

class free_tokens final : public delivery::tokens {
  public:
    explicit free_tokens(world& w)
        : in_(w) {}
    asio::awaitable<taken> take(std::string, double, std::chrono::milliseconds, delivery::token_wish) override {
        co_return taken{in_.now()};
    }
    std::optional<double> share(const std::string&) const override { return std::nullopt; }
    void abandon() override {}

  private:
    world& in_;
};

/// What a process has heard of campaigns.
class hearsay final : public delivery::knowledge {
  public:
    hearsay(std::map<base::campaign_id, catalog::campaign_ptr> all, catalog::artifact_ptr a)
        : all_(std::move(all))
        , artifact_(std::move(a)) {}
    void hear(catalog::campaign_ptr c) {
        all_[c->id] = std::move(c);
        ++version_;
    }

    asio::awaitable<void> loaded() override { co_return; }
    catalog::campaign_ptr find(const base::campaign_id& id) const override {
        const auto found = all_.find(id);
        return found == all_.end() ? nullptr : found->second;
    }
    std::vector<catalog::campaign_ptr> campaigns() const override {
        std::vector<catalog::campaign_ptr> out;
        for (const auto& [id, c] : all_) {
            out.push_back(c);
        }
        return out;
    }
    std::uint64_t version() const noexcept override { return version_; }
    asio::awaitable<catalog::campaign_ptr> find_within(base::campaign_id id, std::chrono::milliseconds) override {
        co_return find(id);
    }
    asio::awaitable<catalog::artifact_ptr> find_within(base::artifact_id, std::chrono::milliseconds) override {
        co_return artifact_;
    }

  private:
    std::map<base::campaign_id, catalog::campaign_ptr> all_;
    catalog::artifact_ptr artifact_;
    std::uint64_t version_ = 1;
};

std::vector<kafka::topic_partition> read_by_dispatchers() {
    std::vector<std::string> topics{wire::dispatch(channel), wire::parked(channel)};
    for (std::size_t tier = 0; tier < wire::tiers.size(); ++tier) {
        topics.push_back(wire::retry(channel, tier));
    }
    std::vector<kafka::topic_partition> all;
    for (const auto& t : topics) {
        for (std::int32_t p = 0; p < partitions; ++p) {
            all.push_back({t, p});
        }
    }
    return all;
}

asio::awaitable<void> live(asio::any_io_executor ex, delivery::engine_options options, delivery::ports ports,
                           std::vector<delivery::lane_config> lanes, telemetry::metrics& metrics,
                           telemetry::logger& log) {
    delivery::engine engine{std::move(ex), std::move(options), ports, std::move(lanes), metrics, log};
    co_await engine.run();
}

std::string words_of(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& x) {
        return x.what();
    } catch (...) {
        return "something";
    }
}

bool is_a_bug(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const std::logic_error&) {
        return true;
    } catch (...) {
        return false;
    }
}

} // namespace

struct town::machine {
    machine(town& in, process p, std::size_t s)
        : of(p)
        , slot(s)
        , clock(in.world_, p, in.story_.looks_between_stops)
        , log(in.world_, p, in.broker_, "slot-" + std::to_string(s), in.story_.kafka)
        , store(in.world_, p, in.redis_.port())
        , tokens(in.world_)
        , knowledge(in.campaigns_, in.artifact_) {}

    process of;
    std::size_t slot;
    sim_clock clock;
    sim_log log;
    sim_store store;
    free_tokens tokens;
    hearsay knowledge;
};

struct town::receipts_process {
    receipts_process(town& in, process p)
        : of(p)
        , work(in.world_, p, in.broker_, in.story_.kafka, in.redis_.port(),
               [&in](const std::string& campaign) { return in.policy_of(campaign); },
               {.partitions = partitions, .awaiting_limit = 25s}) {}
    process of;
    sim_receipts work;
};

struct town::plan_process {
    plan_process(town& in, process p)
        : of(p)
        , work(
              in.world_, p, in.broker_, in.story_.kafka, in.audience_,
              [&in](const std::string& campaign) -> const v1::Campaign& {
                  return in.campaigns_.at(base::campaign_id{campaign})->state;
              },
              partitions) {}
    process of;
    sim_plan work;
};

town::town(story s)
    : story_(std::move(s))
    , log_("simulation", telemetry::level::error)
    , world_(story_.seed)
    , judge_(world_)
    , broker_(world_, read_by_dispatchers(), session)
    , redis_(world_, story_.redis) {
    found_campaigns();
    calm_ = world_.now() + story_.trouble;
    until_death_ = story_.events_of_a_life;
    world_.fate = [this](process) {
        if (story_.events_of_a_life == 0 || !troubled() || --until_death_ > 0) {
            return false;
        }
        until_death_ = 1 + world_.below(2 * story_.events_of_a_life);
        return true;
    };
    if (story_.inline_starts) {
        world_.run_inline();
    }
    world_.mourned = [this](process p) {
        ++deaths_;
        closed(p, nullptr);
    };
    world_.failed = [this](process p, std::exception_ptr e) { closed(p, std::move(e)); };
    listen();
}

town::~town() = default;

void town::found_campaigns() {
    for (const auto* name : {most_people, some_people}) {
        auto campaign = std::make_shared<catalog::campaign>();
        campaign->id = base::campaign_id{name};
        campaign->key = crypto::campaign_key::random();
        campaign->state.set_id(name);
        campaign->state.set_phase(v1::CAMPAIGN_RUNNING);
        campaign->state.set_in_doubt(world_.chance(0.6) ? v1::DOUBT_RESEND : v1::DOUBT_HOLD);
        campaign->state.set_in_doubt_after_s(5);
        campaign->state.set_wrapped_key("as if");
        campaigns_[campaign->id] = std::move(campaign);
    }
    auto artifact = std::make_shared<v1::Artifact>();
    artifact->set_locale("en");
    artifact->set_channel(v1::CHANNEL_SMS);
    artifact->mutable_sms()->add_text()->set_literal("Notice of personal data leak: call 118.");
    artifact->mutable_sms()->set_max_parts(1);
    artifact_ = std::move(artifact);
}

/// The judge hears of each step when it is taken.
void town::listen() {
    broker_.on_commit = [this](const kafka::commit& c) { judge_.committed(c); };
    broker_.on_record = [this](const topic_partition& at, const std::string& value) {
        if (at.topic == wire::events) {
            v1::EventBatch batch;
            if (!batch.ParseFromString(value)) {
                judge_.surprised("a record of events is not an EventBatch");
            }
            for (const auto& e : batch.events()) {
                judge_.told(e);
            }
        } else if (at.topic.starts_with("retry.")) {
            v1::Dispatch d;
            if (!d.ParseFromString(value)) {
                judge_.surprised("a record of " + at.topic + " is not a Dispatch");
            }
            judge_.put_off(d);
        }
    };
    judge_.on_accepted = [this](const delivery::outbound& m) { report(m); };
    redis_.on_head = [this](const topic_partition& at) { judge_.head_written(at); };
    redis_.on_claim = [this](const topic_partition& at, std::uint64_t owner, const std::string& marker) {
        judge_.claimed(at, owner, marker);
    };
}

/// A gateway says later that a handset has it.
void town::report(const delivery::outbound& m) {
    if (!world_.chance(story_.reports)) {
        return;
    }
    v1::GatewayReceipt r;
    r.set_gateway("smsc");
    r.set_channel(v1::CHANNEL_SMS);
    r.set_message_id(base::to_hex(m.notification).substr(0, 8));
    r.set_state(v1::RECEIPT_DELIVERED);
    r.set_time_us(base::to_us(base::timestamp{world_.now().time_since_epoch()}));
    r.set_notification(std::string{base::as_view(m.notification)});
    world_.at(nobody, world_.now() + world_.between(500ms, 20s),
              [this, bytes = r.SerializeAsString()](boost::system::error_code) {
                  broker_.append({sim_receipts::reported, 0}, {bytes});
              });
}

std::optional<receipts::policy> town::policy_of(const std::string& campaign) const {
    const auto found = campaigns_.find(base::campaign_id{campaign});
    return found == campaigns_.end() ? std::nullopt : std::optional{receipts::policy_of(found->second->state)};
}

void town::plan_everybody() {
    for (std::size_t row = 1; row <= story_.people; ++row) {
        const auto id = crypto::sha256(std::to_string(story_.seed) + "|" + std::to_string(row));
        const std::string notification{base::as_view(id)};
        const base::campaign_id campaign{row % 4 == 0 ? some_people : most_people};
        v1::Delivery person;
        person.mutable_address()->set_channel(v1::CHANNEL_SMS);
        person.mutable_address()->set_canonical(planted_number + std::to_string(10'000 + row));
        person.mutable_address()->set_given(person.address().canonical());
        v1::Dispatch d;
        d.set_campaign_id(campaign.value());
        d.set_notification(notification);
        d.set_channel(v1::CHANNEL_SMS);
        d.set_attempt(1);
        d.set_artifact(std::string(32, 'a'));
        d.set_planned_at_us(static_cast<std::int64_t>(1'000'000 * row));
        d.set_wave(1);
        d.set_row(row);
        d.set_recipient_ref(notification.substr(0, 16));
        d.set_sealed(wire::seal_delivery(*campaigns_.at(campaign)->key, notification, person));
        judge_.planned(d);
        audience_[campaign.value()].push_back(std::move(d));
    }
}

/// Whatever the operator does, so that much is under way when something happens, and dispatchers alone heed a pause.
void town::release_in_bursts() {
    constexpr std::size_t burst = 25;
    auto when = world_.now();
    std::size_t row = 0;
    for (const auto& [campaign, rows] : audience_) {
        for (const auto& d : rows) {
            if (row++ % burst == 0) {
                when = world_.now() + world_.between(0us, story_.trouble / 2);
            }
            const topic_partition to{wire::dispatch(channel), base::partition_of(d.notification(), partitions)};
            world_.at(nobody, when, [this, to, bytes = d.SerializeAsString()](boost::system::error_code) {
                broker_.append(to, {bytes});
            });
        }
    }
}

/// What an operator does.
void town::plan_orders() {
    const auto at = [this](instant when, const char* campaign, v1::CampaignPhase phase) {
        world_.at(nobody, when, [this, campaign, phase](boost::system::error_code) { order(campaign, phase); });
    };
    const auto first = world_.now() + world_.between(1s, 8s);
    const auto second = first + world_.between(20s, 35s);
    switch (story_.operated ? world_.below(4) : 0) {
    case 1:
        at(first, most_people, v1::CAMPAIGN_PAUSED);
        at(second, most_people, v1::CAMPAIGN_RUNNING);
        break;
    case 2:
        at(first, some_people, v1::CAMPAIGN_CANCELLED);
        break;
    case 3:
        at(first, some_people, v1::CAMPAIGN_PAUSED);
        at(second, some_people, v1::CAMPAIGN_CANCELLED);
        break;
    default:
        break;
    }
}

void town::order(const std::string& campaign, v1::CampaignPhase phase) {
    auto& now = campaigns_.at(base::campaign_id{campaign});
    auto next = std::make_shared<catalog::campaign>(*now);
    next->state.set_phase(phase);
    now = std::move(next);
    if (phase == v1::CAMPAIGN_CANCELLED) {
        judge_.cancelled(campaign);
    } else {
        judge_.paused(campaign, phase == v1::CAMPAIGN_PAUSED);
    }
    for (const auto& m : machines_) {
        world_.at(
            m->of, world_.now() + world_.between(10ms, 1s),
            [this, to = m.get(), id = now->id](boost::system::error_code) { to->knowledge.hear(campaigns_.at(id)); });
    }
}

void town::open(std::size_t slot) {
    const auto p = world_.begin_process();
    machines_.push_back(std::make_unique<machine>(*this, p, slot));
    auto& m = *machines_.back();
    delivery::engine_options options;
    options.channel = channel;
    options.partitions = partitions;
    std::vector<delivery::lane_config> lanes;
    lanes.push_back({.gateway = std::make_unique<sim_gateway>(world_, p, judge_, story_.gateways)});
    const delivery::ports ports{.clock = m.clock,
                                .reader = m.log,
                                .writer = m.log,
                                .store = m.store,
                                .tokens = m.tokens,
                                .knowledge = m.knowledge};
    const auto ex = world_.executor_of(p);
    asio::co_spawn(ex, live(ex, std::move(options), ports, std::move(lanes), metrics_, log_),
                   [this, p](std::exception_ptr e) { closed(p, std::move(e)); });
}

void town::open_receipts() {
    const auto p = world_.begin_process();
    receipts_.push_back(std::make_unique<receipts_process>(*this, p));
    asio::co_spawn(world_.executor_of(p), receipts_.back()->work.run(),
                   [this, p](std::exception_ptr e) { closed(p, std::move(e)); });
}

void town::open_plan() {
    const auto p = world_.begin_process();
    plans_.push_back(std::make_unique<plan_process>(*this, p));
    asio::co_spawn(world_.executor_of(p), plans_.back()->work.run(),
                   [this, p](std::exception_ptr e) { closed(p, std::move(e)); });
}

/// It died, could not go on, or has given its partitions up.
void town::closed(process p, std::exception_ptr e) {
    if (e && is_a_bug(e)) {
        judge_.surprised("a process ended with: " + words_of(e));
    }
    // From outside: it may be one of its own events that says so.
    const auto again = [&](const auto& lives, void (town::*open)()) {
        if (!lives.empty() && lives.back()->of == p) {
            world_.at(nobody, world_.now() + world_.between(50ms, 5s), [this, p, open](boost::system::error_code) {
                world_.kill(p);
                (this->*open)();
            });
        }
    };
    again(receipts_, &town::open_receipts);
    again(plans_, &town::open_plan);
    const auto m = std::ranges::find(machines_, p, &machine::of);
    if (m != machines_.end()) {
        world_.at(nobody, world_.now(), [this, p, slot = (*m)->slot](boost::system::error_code) {
            if (world_.alive(p)) {
                world_.kill(p);
            }
            reopen(slot);
        });
    }
}

void town::reopen(std::size_t slot) {
    // Now and then its session ends before it is back.
    const auto away = troubled() && world_.chance(0.2) ? world_.between(6s, 15s) : world_.between(50ms, 2s);
    world_.at(nobody, world_.now() + away, [this, slot](boost::system::error_code) {
        const auto runs = [&](const auto& m) { return m->slot == slot && world_.alive(m->of); };
        if (std::ranges::none_of(machines_, runs)) {
            open(slot);
        }
    });
}

/// A process that works.
std::optional<process> town::somebody() {
    std::vector<process> all;
    for (const auto& m : machines_) {
        if (world_.alive(m->of) && !world_.asleep(m->of) && broker_.hears(m->of)) {
            all.push_back(m->of);
        }
    }
    return all.empty() ? std::nullopt : std::optional{all[world_.below(all.size())]};
}

void town::befall() {
    if (!troubled()) {
        return;
    }
    switch (world_.below(6)) {
    case 0:
    case 1:
        if (story_.forgetful) {
            redis_.flush();
        }
        break;
    case 2:
        redis_.save();
        break;
    case 3:
        if (story_.forgetful && redis_.up()) {
            redis_.crash(world_.between(50ms, 4s));
        }
        break;
    default:
        if (const auto one = story_.sleepers ? somebody() : std::nullopt) {
            if (world_.chance(0.5)) {
                world_.put_to_sleep(*one, world_.now() + world_.between(1s, 14s));
            } else {
                broker_.cut_off(*one, world_.now() + world_.between(1s, 14s));
            }
        }
        break;
    }
    world_.at(nobody, world_.now() + world_.between(100ms, 3s), [this](boost::system::error_code) { befall(); });
}

void town::run_until(instant when) {
    while (!judge_.broken() && world_.next_at() <= when && world_.step()) {
    }
}

ending town::play() {
    plan_everybody();
    if (world_.chance(story_.planned)) {
        open_plan();
    } else {
        release_in_bursts();
    }
    plan_orders();
    for (std::size_t slot = 0; slot < story_.slots; ++slot) {
        world_.at(nobody, world_.now() + world_.between(0us, 3s),
                  [this, slot](boost::system::error_code) { open(slot); });
    }
    open_receipts();
    world_.at(nobody, world_.now() + 4s, [this](boost::system::error_code) { befall(); });
    const auto last = calm_ + 3h;
    for (auto look = calm_ + 2s; look < last && !judge_.broken() && !judge_.all_told(); look += 2s) {
        run_until(look);
    }
    const auto told = std::max(world_.now(), calm_);
    run_until(told + 16s); // whoever slept may wake up and send
    for (auto look = told + 18s; look <= told + 30s && !judge_.broken() && !judge_.nothing_in_doubt(); look += 2s) {
        run_until(look); // late answers, and what becomes of doubts
    }
    for (auto look = world_.now() + 2s; look < last && !judge_.broken() && !judge_.all_settled(); look += 2s) {
        run_until(look); // what was sent again may be refused for now, and for an hour
    }
    auto out = judge_.close();
    out.deaths = deaths_;
    out.fingerprint = world_.fingerprint();
    return out;
}

} // namespace semel::simulation
