#pragma once
// Both passes of plan in one process, side by side: `plan-register` and `plan` share their partitions out on their own.

#include <plan/edge/registrar.hpp>
#include <plan/edge/releaser.hpp>

namespace semel::plan {

class passes {
  public:
    /// `redis` and `metrics` must outlive this.
    passes(boost::asio::any_io_executor, const kafka_place&, redis::client& redis, const campaign_source&,
           base::time_source, telemetry::metrics& metrics, pace = {});

    /// Until `stop` completes; then both end the transaction at hand and leave their groups.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);
    /// A campaign has changed.
    void wake();

  private:
    probe probe_;
    registrar registrar_;
    releaser releaser_;
};

} // namespace semel::plan
