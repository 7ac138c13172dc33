#pragma once
// A Redis that executes each command whole, in the order of its connection, and may forget: everything, or what came
// after its file was saved.

#include "call.hpp"
#include "world.hpp"

#include <delivery/engine/ports.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace semel::simulation {

class redis_server {
  public:
    explicit redis_server(world&);

    struct partition {
        std::optional<delivery::head> head;
        std::map<std::string, std::pair<kafka::offset, std::string>> claims; // by field
    };
    partition& of(const kafka::topic_partition& at) { return data_[at]; }

    const semel::redis::server_identity& identity() const noexcept { return identity_; }
    /// Counts its lives: a connection belongs to one.
    std::uint64_t life() const noexcept { return life_; }
    bool up() const noexcept { return up_; }

    void flush() { data_.clear(); }
    void save() { saved_ = data_; }
    /// Ends at once, and comes back later with what was saved.
    void crash(duration away);

  private:
    using everything = std::map<kafka::topic_partition, partition>;
    void begin_life();

    world& world_;
    everything data_;
    everything saved_;
    semel::redis::server_identity identity_;
    std::uint64_t life_ = 0;
    bool up_ = true;
};

/// The engine's store over it, for one process: one connection after the other.
class sim_store final : public delivery::store {
  public:
    struct trouble_with {
        double answer_lost = 0;
        double stalled = 0; ///< the connection hangs: what was sent on it may be carried out after it was given up
    };
    sim_store(world&, process, redis_server&, const trouble_with&);

    asio::awaitable<void> connected() override;
    const std::string& trouble() const noexcept override { return trouble_; }
    delivery::fact& recovery() override { return recovered_; }
    std::uint64_t generation() const noexcept override { return generation_; }
    const semel::redis::server_identity& identity() const noexcept override { return identity_; }
    bool holds_all_of(const semel::redis::server_identity&) const noexcept override { return false; }
    asio::awaitable<bool> unchanged() override;
    std::unique_ptr<delivery::claim_store> claims_of(const kafka::topic_partition&) override;
    asio::awaitable<bool> is_superseded(std::string) override;

    asio::any_io_executor executor() { return world_.executor_of(of_); }
    /// Nothing: there is no connection, or it was lost while the command was out.
    template <class T>
    asio::awaitable<std::optional<T>> command(std::move_only_function<T(redis_server&)> what) {
        if (!trouble_.empty()) {
            co_await delay(world_, of_, 0us);
            co_return std::nullopt;
        }
        const auto on = generation_;
        auto answer = co_await call<std::optional<T>>(
            world_, of_, way(), [s = &server_, life = life_, run = std::move(what)]() mutable -> std::optional<T> {
                return s->up() && s->life() == life ? std::optional<T>{run(*s)} : std::nullopt;
            });
        if (!answer || !*answer) {
            drop(on);
            co_return std::nullopt;
        }
        co_return std::move(*answer);
    }

  private:
    journey way();
    void drop(std::uint64_t connection);
    asio::awaitable<void> connect();

    world& world_;
    process of_;
    redis_server& server_;
    const trouble_with& faults_;
    std::string trouble_ = "not connected yet";
    delivery::fact recovered_;
    semel::redis::server_identity identity_;
    std::uint64_t generation_ = 0;
    std::uint64_t life_ = 0;
    instant last_arrival_{}; // commands of a connection arrive in order
    instant last_answer_{};
    bool connecting_ = false;
};

} // namespace semel::simulation
