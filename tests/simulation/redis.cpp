#include "redis.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <string>

namespace semel::simulation {

using delivery::claim_answer;
using delivery::claim_ref;
using delivery::head;
using fault = base::fault::kind;

redis_server::redis_server(world& w)
    : world_(w) {
    begin_life();
}

void redis_server::begin_life() {
    ++life_;
    identity_ = {.run_id = "run" + std::to_string(life_), .master_replid = "replid" + std::to_string(life_)};
}

void redis_server::crash(duration away) {
    up_ = false;
    world_.at(nobody, world_.now() + away, [this](boost::system::error_code) {
        data_ = saved_;
        begin_life();
        up_ = true;
    });
}

namespace {

asio::awaitable<void> carry_out(sim_store& in, std::move_only_function<bool(redis_server&)> what) {
    co_await in.command<bool>(std::move(what));
}

/// What redis/claims.cpp does with scripts.
class sim_claims final : public delivery::claim_store {
  public:
    sim_claims(sim_store& s, kafka::topic_partition at)
        : store_(s)
        , at_(std::move(at)) {}

    asio::awaitable<base::result<std::optional<head>>> raise(std::uint64_t owner, delivery::marker fresh) override {
        using answer = base::result<std::optional<head>>;
        auto done = co_await store_.command<answer>(
            [at = at_, owner, fresh, here = store_.identity()](redis_server& r) -> answer {
                auto& h = r.of(at).head;
                if (!h) {
                    h = head{.owner = owner, .marker = fresh, .server = here};
                    return std::optional<head>{};
                }
                if (h->owner > owner) {
                    return base::failed(fault::permanent, "another process owns the partition now");
                }
                auto before = h;
                h->owner = owner;
                return before;
            });
        if (!done) {
            co_return base::failed(fault::unreachable, "Redis is away");
        }
        co_return std::move(*done);
    }

    asio::awaitable<base::result<void>> rebuild(const head& h,
                                                std::vector<std::pair<claim_ref, std::string>> open) override {
        auto done = co_await store_.command<bool>([at = at_, h, open = std::move(open)](redis_server& r) {
            auto& p = r.of(at);
            if (p.head && p.head->owner > h.owner) {
                return false;
            }
            p.head = h;
            for (const auto& [ref, value] : open) {
                p.claims[ref.field] = {ref.at, value};
            }
            return true;
        });
        if (!done) {
            co_return base::failed(fault::unreachable, "Redis is away");
        }
        if (!*done) {
            co_return base::failed(fault::permanent, "another process owns the partition now");
        }
        co_return base::result<void>{};
    }

    asio::awaitable<base::result<std::vector<std::optional<std::string>>>>
    look_up(const head& h, std::vector<claim_ref> refs) override {
        using answer = base::result<std::vector<std::optional<std::string>>>;
        auto done = co_await store_.command<answer>([at = at_, h, refs = std::move(refs)](redis_server& r) -> answer {
            auto& p = r.of(at);
            if (!p.head || p.head->owner != h.owner || p.head->marker != h.marker) {
                return base::failed(fault::malformed, "another head stands here");
            }
            std::vector<std::optional<std::string>> found;
            for (const auto& ref : refs) {
                const auto c = p.claims.find(ref.field);
                found.push_back(c == p.claims.end() ? std::nullopt : std::optional{c->second.second});
            }
            return found;
        });
        if (!done) {
            co_return base::failed(fault::unreachable, "Redis is away");
        }
        co_return std::move(*done);
    }

    void use(const head& h) override { head_ = h; }

    asio::awaitable<claim_answer> take(claim_ref ref, std::string gateway, bool again) override {
        const auto h = head_;
        if (store_.identity() != h.server && store_.trouble().empty()) {
            co_return claim_answer::stale;
        }
        auto value = delivery::encode_claim(h.owner, gateway, ref.parts);
        auto mine = "c" + std::to_string(h.owner) + ":";
        const auto done =
            co_await store_.command<claim_answer>([at = at_, h, ref = std::move(ref), value = std::move(value),
                                                   mine = std::move(mine), again](redis_server& r) {
                auto& p = r.of(at);
                if (!p.head || p.head->owner != h.owner || p.head->marker != h.marker) {
                    return claim_answer::stale;
                }
                const auto [c, fresh] = p.claims.try_emplace(ref.field, ref.at, value);
                if (!fresh && !(again && c->second.second.starts_with(mine))) {
                    return claim_answer::taken;
                }
                c->second.second = value;
                return claim_answer::mine;
            });
        co_return done.value_or(claim_answer::unreachable);
    }

    void note(claim_ref ref, const delivery::claim_outcome& outcome) override {
        auto value = delivery::encode_claim(head_.owner, outcome.gateway, ref.parts);
        send([at = at_, ref = std::move(ref), value = std::move(value),
              said = delivery::encode(outcome)](redis_server& r) {
            auto& p = r.of(at);
            if (const auto c = p.claims.find(ref.field); c != p.claims.end() && c->second.second == value) {
                c->second.second = said;
            }
            return true;
        });
    }

    void drop_below(kafka::offset next) override {
        send([at = at_, last = next / block](redis_server& r) {
            std::erase_if(r.of(at).claims, [&](const auto& c) { return c.second.first / block < last; });
            return true;
        });
    }

  private:
    static constexpr kafka::offset block = 4; // small, so that much is dropped

    void send(std::move_only_function<bool(redis_server&)> what) {
        asio::co_spawn(store_.executor(), carry_out(store_, std::move(what)), asio::detached);
    }

    sim_store& store_;
    kafka::topic_partition at_;
    head head_;
};

} // namespace

sim_store::sim_store(world& w, process p, redis_server& server, const trouble_with& faults)
    : world_(w)
    , of_(p)
    , server_(server)
    , faults_(faults) {
    drop(0);
}

journey sim_store::way() {
    journey j{.arrives = std::max(last_arrival_, world_.now() + world_.between(50us, 2ms)),
              .back = world_.between(50us, 2ms)};
    if (world_.chance(faults_.stalled)) {
        j.arrives += world_.between(1s, 9s);
    }
    last_arrival_ = j.arrives;
    last_answer_ = std::max(last_answer_, j.arrives + j.back); // in the order of the commands
    j.back = last_answer_ - j.arrives;
    j.answered = !world_.chance(faults_.answer_lost);
    j.patience = 5s;
    return j;
}

void sim_store::drop(std::uint64_t connection) {
    if (connection != generation_ || connecting_) {
        return; // that one is known to be gone
    }
    trouble_ = "the connection was lost";
    connecting_ = true;
    asio::co_spawn(world_.executor_of(of_), connect(), asio::detached);
}

asio::awaitable<void> sim_store::connect() {
    for (;;) {
        co_await delay(world_, of_, world_.between(20ms, 300ms));
        if (server_.up()) {
            break;
        }
    }
    last_arrival_ = {};
    last_answer_ = {};
    life_ = server_.life();
    identity_ = server_.identity();
    ++generation_;
    connecting_ = false;
    trouble_.clear();
    recovered_.changed();
}

asio::awaitable<void> sim_store::connected() {
    while (!trouble_.empty()) {
        co_await delay(world_, of_, world_.between(1ms, 10ms));
    }
}

asio::awaitable<bool> sim_store::unchanged() {
    const auto on = generation_;
    const auto answer = co_await command<bool>([](redis_server&) { return true; });
    co_return answer.has_value() && on == generation_;
}

std::unique_ptr<delivery::claim_store> sim_store::claims_of(const kafka::topic_partition& at) {
    return std::make_unique<sim_claims>(*this, at);
}

asio::awaitable<bool> sim_store::is_superseded(std::string) {
    co_return false;
}

} // namespace semel::simulation
