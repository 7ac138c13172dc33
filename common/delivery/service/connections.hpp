#pragma once
// The engine's ports over real servers: Kafka, Redis, the catalog and this host's clock.

#include <catalog/catalog.hpp>
#include <delivery/engine/engine.hpp>
#include <delivery/engine/ports.hpp>
#include <kafka/cluster.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace semel::delivery {

struct connection_options {
    kafka::cluster bootstrap;
    std::string instance; // "email-2": group.instance.id and transactional.id
    std::chrono::milliseconds session_timeout{10'000};
    base::time_source time; // must be set
};

/// Catalog and client must outlive it, and it the engine.
class connections {
  public:
    connections(asio::any_io_executor, connection_options, const engine_options&, catalog::catalog&, redis::client&);
    ~connections();
    ports open() noexcept;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::delivery
