#pragma once
// Prometheus metrics, declared beside the code that counts. Handles are cheap to copy and thread-safe.

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace semel::telemetry {

class counter {
  public:
    void add(double n = 1);
    struct impl;
    explicit counter(impl* i)
        : impl_(i) {}

  private:
    impl* impl_;
};
class gauge {
  public:
    void set(double v);
    void add(double n);
    struct impl;
    explicit gauge(impl* i)
        : impl_(i) {}

  private:
    impl* impl_;
};
/// Of one name, series that come and go: one for each campaign that runs.
class gauges {
  public:
    /// Values of the labels, in the order of their names.
    using values = std::vector<std::string>;
    /// These series from now on, and no others.
    void show(const std::map<values, double>&);
    struct impl;
    explicit gauges(impl* i)
        : impl_(i) {}

  private:
    impl* impl_;
};
class histogram {
  public:
    void observe(double v);
    struct impl;
    explicit histogram(impl* i)
        : impl_(i) {}

  private:
    impl* impl_;
};

using labels = std::map<std::string, std::string>;

class metrics {
  public:
    metrics();
    ~metrics();
    /// The same name and labels give the same series. Names: semel_<module>_<what>_<unit>[_total].
    counter make_counter(const std::string& name, const std::string& help, labels = {});
    gauge make_gauge(const std::string& name, const std::string& help, labels = {});
    gauges make_gauges(const std::string& name, const std::string& help, std::vector<std::string> label_names);
    histogram make_histogram(const std::string& name, const std::string& help, labels, std::vector<double> bounds);
    /// The text exposition format 0.0.4.
    std::string expose() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace semel::telemetry
