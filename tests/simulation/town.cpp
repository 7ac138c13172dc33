#include "town.hpp"

#include "sim_clock.hpp"

#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <semel/v1/events.pb.h>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace semel::simulation {

namespace {

constexpr std::int32_t partitions = 2;
constexpr duration session = 6s;
constexpr auto channel = base::channel::sms;

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

class one_campaign final : public delivery::knowledge {
  public:
    one_campaign(catalog::campaign_ptr c, catalog::artifact_ptr a)
        : campaign_(std::move(c))
        , artifact_(std::move(a)) {}
    asio::awaitable<void> loaded() override { co_return; }
    catalog::campaign_ptr find(const base::campaign_id&) const override { return campaign_; }
    std::vector<catalog::campaign_ptr> campaigns() const override { return {campaign_}; }
    std::uint64_t version() const noexcept override { return 1; }
    asio::awaitable<catalog::campaign_ptr> find_within(base::campaign_id, std::chrono::milliseconds) override {
        co_return campaign_;
    }
    asio::awaitable<catalog::artifact_ptr> find_within(base::artifact_id, std::chrono::milliseconds) override {
        co_return artifact_;
    }

  private:
    catalog::campaign_ptr campaign_;
    catalog::artifact_ptr artifact_;
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
        , clock(in.world_, p)
        , log(in.world_, p, in.broker_, "slot-" + std::to_string(s), in.story_.kafka)
        , store(in.world_, p, in.redis_, in.story_.redis)
        , tokens(in.world_)
        , knowledge(in.campaign_, in.artifact_) {}

    process of;
    std::size_t slot;
    sim_clock clock;
    sim_log log;
    sim_store store;
    free_tokens tokens;
    one_campaign knowledge;
};

struct town::told {
    int accepted = 0, failed = 0, in_doubt = 0, awaiting = 0;
    bool any() const noexcept { return accepted + failed + in_doubt + awaiting > 0; }
};

town::town(story s)
    : story_(std::move(s))
    , log_("simulation", telemetry::level::error)
    , world_(story_.seed)
    , broker_(world_, read_by_dispatchers(), session)
    , redis_(world_) {
    auto campaign = std::make_shared<catalog::campaign>();
    campaign->id = base::campaign_id{"c-simulated"};
    campaign->key = crypto::campaign_key::random();
    campaign->state.set_id("c-simulated");
    campaign->state.set_phase(v1::CAMPAIGN_RUNNING);
    campaign_ = std::move(campaign);
    auto artifact = std::make_shared<v1::Artifact>();
    artifact->set_locale("en");
    artifact->set_channel(v1::CHANNEL_SMS);
    artifact->mutable_sms()->add_text()->set_literal("Notice of personal data leak: call 118.");
    artifact->mutable_sms()->set_max_parts(1);
    artifact_ = std::move(artifact);

    calm_ = world_.now() + story_.trouble;
    until_death_ = story_.events_of_a_life;
    world_.fate = [this](process) {
        if (story_.events_of_a_life == 0 || !troubled() || --until_death_ > 0) {
            return false;
        }
        until_death_ = 1 + world_.below(2 * story_.events_of_a_life);
        return true;
    };
    world_.mourned = [this](process p) {
        ++deaths_;
        closed(p, nullptr);
    };
    world_.failed = [this](process p, std::exception_ptr e) { closed(p, std::move(e)); };
}

town::~town() = default;

/// In bursts, as plan's release does it: then many are under way when something happens.
void town::dispatch() {
    constexpr std::size_t burst = 25;
    auto when = world_.now();
    for (std::size_t row = 1; row <= story_.people; ++row) {
        const auto id = crypto::sha256(std::to_string(story_.seed) + "|" + std::to_string(row));
        const std::string notification{base::as_view(id)};
        notifications_.push_back(notification);
        v1::Delivery person;
        person.mutable_address()->set_channel(v1::CHANNEL_SMS);
        person.mutable_address()->set_canonical("+82" + std::to_string(row));
        person.mutable_address()->set_given(person.address().canonical());
        v1::Dispatch d;
        d.set_campaign_id("c-simulated");
        d.set_notification(notification);
        d.set_channel(v1::CHANNEL_SMS);
        d.set_attempt(1);
        d.set_artifact(std::string(32, 'a'));
        d.set_wave(1);
        d.set_row(row);
        d.set_recipient_ref(notification.substr(0, 16));
        d.set_sealed(wire::seal_delivery(*campaign_->key, notification, person));
        const topic_partition to{wire::dispatch(channel), base::partition_of(notification, partitions)};
        if (row % burst == 1) {
            when = world_.now() + world_.between(0us, story_.trouble / 2);
        }
        world_.at(nobody, when, [this, to, bytes = d.SerializeAsString()](boost::system::error_code) {
            broker_.append(to, {bytes});
        });
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
    lanes.push_back({.gateway = std::make_unique<sim_gateway>(world_, p, truth_, story_.gateways)});
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

/// It died, could not go on, or has given its partitions up.
void town::closed(process p, std::exception_ptr e) {
    if (e && is_a_bug(e)) {
        surprises_.push_back("a process ended with: " + words_of(e));
    }
    const auto m = std::ranges::find(machines_, p, &machine::of);
    if (m != machines_.end()) {
        // From outside: it may be one of its own events that says so.
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

std::map<std::string, town::told> town::listen() {
    std::map<std::string, told> all;
    std::set<std::string> heard; // evidence may be told twice, under one id
    for (std::int32_t p = 0; p < partitions; ++p) {
        for (const auto& r : broker_.records({std::string{wire::events}, p})) {
            v1::EventBatch batch;
            if (!batch.ParseFromString(r.value)) {
                surprises_.emplace_back("a record of events is not an EventBatch");
            }
            for (const auto& e : batch.events()) {
                if (!heard.insert(e.id()).second) {
                    continue;
                }
                auto& t = all[e.notification()];
                t.accepted += e.kind() == v1::EVENT_ACCEPTED;
                t.failed += e.kind() == v1::EVENT_FAILED;
                t.in_doubt += e.kind() == v1::EVENT_IN_DOUBT;
                t.awaiting += e.kind() == v1::EVENT_AWAITING;
            }
        }
    }
    return all;
}

ending town::play() {
    dispatch();
    for (std::size_t slot = 0; slot < story_.slots; ++slot) {
        world_.at(nobody, world_.now() + world_.between(0us, 3s),
                  [this, slot](boost::system::error_code) { open(slot); });
    }
    world_.at(nobody, world_.now() + 4s, [this](boost::system::error_code) { befall(); });
    const auto run_until = [this](instant when) {
        while (world_.next_at() <= when && world_.step()) {
        }
    };
    const auto last = calm_ + 3h;
    for (auto look = calm_ + 10s; look < last; look += 10s) {
        run_until(look);
        const auto heard = listen();
        if (std::ranges::all_of(notifications_, [&](const auto& n) {
                const auto at = heard.find(n);
                return at != heard.end() && at->second.any();
            })) {
            break;
        }
    }
    run_until(world_.now() + 60s); // late answers
    return judge();
}

ending town::judge() {
    ending out;
    const auto heard = listen();
    const auto complain = [&](const std::string& n, const std::string& what) {
        out.breaches.push_back(base::to_hex(n).substr(0, 12) + " " + what);
    };
    for (const auto& n : notifications_) {
        const auto at = heard.find(n);
        const told t = at == heard.end() ? told{} : at->second;
        const auto sent = truth_.accepted.find(n);
        const auto times = sent == truth_.accepted.end() ? 0 : sent->second.size();
        out.accepted += t.accepted > 0;
        out.failed += t.failed > 0;
        out.in_doubt += t.in_doubt > 0;
        out.awaiting += t.awaiting > 0;
        if (!t.any()) {
            complain(n, "is lost: nobody says what became of it");
        }
        if (times > 1) {
            complain(n, "was accepted " + std::to_string(times) + " times, and nobody had it sent again");
        }
        if (t.accepted > 1 || (t.accepted > 0 && t.failed > 0)) {
            complain(n, "has two endings");
        }
        if (times > 0 && t.accepted + t.in_doubt + t.awaiting == 0) {
            complain(n, "was accepted, and no event says so or doubts it");
        }
        if (times == 0 && t.accepted > 0) {
            complain(n, "is told as accepted, and never was");
        }
        if (times > 0 && t.failed > 0) {
            complain(n, "was accepted, and is told as failed");
        }
    }
    out.breaches.insert(out.breaches.end(), surprises_.begin(), surprises_.end());
    out.deaths = deaths_;
    out.fingerprint = world_.fingerprint();
    return out;
}

} // namespace semel::simulation
