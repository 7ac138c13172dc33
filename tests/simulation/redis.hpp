#pragma once
// A Redis that executes each command whole, in the order of its connection, and may forget: everything, or what came
// after its file was saved. The product's own scripts run in it. Its clients are redis::client with other bodies
// (redis_client.cpp), so that delivery/redis/claims is what production has.

#include "scripts.hpp"
#include "world.hpp"

#include <delivery/engine/ports.hpp>
#include <redis/client.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::simulation {

class redis_server {
  public:
    struct trouble_with {
        double answer_lost = 0;
        double stalled = 0; ///< the connection hangs: what was sent on it may be carried out after it was given up
    };
    redis_server(world&, const trouble_with&);
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    std::uint16_t port() const noexcept { return port_; }
    static redis_server& at(std::uint16_t port);

    using words = std::vector<std::string>;
    semel::redis::reply carry_out(const words& command);
    semel::redis::reply run(const std::string& script, const words& keys, const words& args);

    const semel::redis::server_identity& identity() const noexcept { return identity_; }
    const trouble_with& trouble() const noexcept { return trouble_; }
    /// Counts its lives: a connection belongs to one.
    std::uint64_t life() const noexcept { return life_; }
    bool up() const noexcept { return up_; }

    void flush() { data_.clear(); }
    void save() { saved_ = data_; }
    /// Ends at once, and comes back later with what was saved.
    void crash(duration away);

    /// A head was made, or is another one than before; a claim was made under it.
    std::function<void(const kafka::topic_partition&)> on_head;
    std::function<void(const kafka::topic_partition&, std::uint64_t owner, const std::string& marker)> on_claim;

  private:
    using hash = std::map<std::string, std::string>;
    void begin_life();
    semel::redis::reply read(const words& command) const;
    semel::redis::reply write(const words& command);
    void look_at_head(const std::string& key, const hash& before);
    void look_at_claim(const std::string& key);

    world& world_;
    trouble_with trouble_;
    std::uint16_t port_;
    scripts scripts_;
    std::map<std::string, hash> data_;
    std::map<std::string, hash> saved_;
    semel::redis::server_identity identity_;
    std::uint64_t life_ = 0;
    bool up_ = true;
};

/// The engine's store over it, for one process.
class sim_store final : public delivery::store {
  public:
    sim_store(world&, process, std::uint16_t port);
    ~sim_store() override;

    asio::awaitable<void> connected() override { return client_.connected(); }
    const std::string& trouble() const noexcept override { return client_.trouble(); }
    delivery::fact& recovery() override;
    std::uint64_t generation() const noexcept override { return client_.generation(); }
    const semel::redis::server_identity& identity() const noexcept override { return client_.identity(); }
    bool holds_all_of(const semel::redis::server_identity& of) const noexcept override {
        return client_.holds_all_of(of);
    }
    asio::awaitable<bool> unchanged() override { return client_.unchanged(); }
    std::unique_ptr<delivery::claim_store> claims_of(const kafka::topic_partition&) override;
    asio::awaitable<bool> is_superseded(std::string notification) override;

  private:
    asio::awaitable<void> watch();

    asio::any_io_executor executor_;
    semel::redis::client client_;
    delivery::fact recovered_;
    bool watching_ = false;
};

} // namespace semel::simulation
