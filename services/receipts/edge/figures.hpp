#pragma once
// The service's metrics.

#include "outcome.hpp"
#include "state.hpp"

#include <telemetry/metrics.hpp>

#include <chrono>

namespace semel::receipts {

class figures {
  public:
    /// The registry must outlive this.
    explicit figures(telemetry::metrics&);

    void committed(const outcome&, std::chrono::duration<double> took);
    void not_committed() { failures_.add(); }
    void looked() { looks_.add(); }
    void written(std::size_t records) { written_.add(static_cast<double>(records)); }
    void read_back(std::size_t records) { read_back_.add(static_cast<double>(records)); }
    void orphaned(std::int64_t orphans) { orphaned_.set(static_cast<double>(orphans)); }
    void show_open(const parts&);

  private:
    telemetry::metrics& metrics_;
    telemetry::counter orphans_, superseded_, transactions_, failures_, written_, read_back_, looks_, dead_letters_;
    telemetry::gauge orphaned_;
    telemetry::gauges oldest_;
    telemetry::histogram seconds_;
};

} // namespace semel::receipts
