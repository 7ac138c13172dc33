#pragma once
// Redis as the engine's store.

#include <delivery/engine/ports.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace semel::delivery {

/// The client must outlive it. `prefix` as in the engine's options.
class redis_store final : public store {
  public:
    redis_store(asio::any_io_executor, redis::client&, std::string prefix);
    ~redis_store() override;

    asio::awaitable<void> connected() override { return redis_.connected(); }
    const std::string& trouble() const noexcept override { return redis_.trouble(); }
    fact& recovery() override;
    std::uint64_t generation() const noexcept override { return redis_.generation(); }
    const redis::server_identity& identity() const noexcept override { return redis_.identity(); }
    bool holds_all_of(const redis::server_identity& of) const noexcept override { return redis_.holds_all_of(of); }
    asio::awaitable<bool> unchanged() override { return redis_.unchanged(); }
    std::unique_ptr<claim_store> claims_of(const kafka::topic_partition&) override;
    asio::awaitable<bool> is_superseded(std::string notification) override;

  private:
    struct watch;
    asio::any_io_executor executor_;
    redis::client& redis_;
    std::string prefix_;
    std::shared_ptr<watch> watch_;
};

} // namespace semel::delivery
