#include "metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace semel::telemetry {

struct counter::impl {
    prometheus::Counter* series;
};
struct gauge::impl {
    prometheus::Gauge* series;
};
struct histogram::impl {
    prometheus::Histogram* series;
};

void counter::add(double n) {
    impl_->series->Increment(n);
}
void gauge::set(double v) {
    impl_->series->Set(v);
}
void gauge::add(double n) {
    impl_->series->Increment(n);
}
void histogram::observe(double v) {
    impl_->series->Observe(v);
}

struct metrics::state {
    std::mutex mutex;
    prometheus::Registry registry;
    // Nodes of a map keep their address: a handle points at one for as long as the registry lives.
    std::map<prometheus::Counter*, counter::impl> counters;
    std::map<prometheus::Gauge*, gauge::impl> gauges;
    std::map<prometheus::Histogram*, histogram::impl> histograms;
};

metrics::metrics()
    : state_(std::make_unique<state>()) {}
metrics::~metrics() = default;

counter metrics::make_counter(const std::string& name, const std::string& help, labels l) {
    const std::scoped_lock lock{state_->mutex};
    auto& series = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry).Add(l);
    return counter{&state_->counters.try_emplace(&series, &series).first->second};
}

gauge metrics::make_gauge(const std::string& name, const std::string& help, labels l) {
    const std::scoped_lock lock{state_->mutex};
    auto& series = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(l);
    return gauge{&state_->gauges.try_emplace(&series, &series).first->second};
}

histogram metrics::make_histogram(const std::string& name, const std::string& help, labels l,
                                  std::vector<double> bounds) {
    const std::scoped_lock lock{state_->mutex};
    auto& series = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry).Add(l, bounds);
    return histogram{&state_->histograms.try_emplace(&series, &series).first->second};
}

std::string metrics::expose() const {
    return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

} // namespace semel::telemetry
