#include "metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <mutex>
#include <utility>

namespace semel::telemetry {

struct counter::impl {
    prometheus::Counter* series;
};
struct gauge::impl {
    prometheus::Gauge* series;
};
struct gauges::impl {
    impl(prometheus::Family<prometheus::Gauge>& f, std::vector<std::string> label_names)
        : family(f)
        , names(std::move(label_names)) {}

    prometheus::Family<prometheus::Gauge>& family;
    std::vector<std::string> names;
    std::mutex mutex;
    std::map<values, prometheus::Gauge*> shown;
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
void gauges::show(const std::map<values, double>& now) {
    const std::scoped_lock lock{impl_->mutex};
    std::erase_if(impl_->shown, [&](const auto& one) {
        const bool gone = !now.contains(one.first);
        if (gone) {
            impl_->family.Remove(one.second);
        }
        return gone;
    });
    for (const auto& [of, value] : now) {
        auto& series = impl_->shown[of];
        if (series == nullptr) {
            labels l;
            for (std::size_t i = 0; i < impl_->names.size(); ++i) {
                l.emplace(impl_->names[i], of.at(i));
            }
            series = &impl_->family.Add(l);
        }
        series->Set(value);
    }
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
    std::map<prometheus::Family<prometheus::Gauge>*, telemetry::gauges::impl> changing;
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

gauges metrics::make_gauges(const std::string& name, const std::string& help, std::vector<std::string> label_names) {
    const std::scoped_lock lock{state_->mutex};
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
    return gauges{&state_->changing.try_emplace(&family, family, std::move(label_names)).first->second};
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
