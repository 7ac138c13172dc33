#pragma once
// Plan as a process: both passes over the campaigns that the catalog follows.

#include <catalog/catalog.hpp>

#include <plan/edge/passes.hpp>

namespace semel::plan {

class service {
  public:
    /// All references must outlive this.
    service(boost::asio::any_io_executor, const kafka_place&, redis::client& redis, catalog::catalog& campaigns,
            base::time_source, telemetry::metrics& metrics);

    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);

  private:
    catalog::catalog& campaigns_;
    passes passes_;
};

} // namespace semel::plan
