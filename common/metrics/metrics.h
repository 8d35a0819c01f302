// Metrics of a process for Prometheus. Each program declares its metrics in one file, as a table of the families below.
#ifndef LEAN_COMMON_METRICS_METRICS_H_
#define LEAN_COMMON_METRICS_METRICS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/concurrency/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace lean::metrics {

using Labels = std::map<std::string, std::string>;

// The metrics of a program. Must outlive its families. Thread-safe after the last refresher was added.
class Registry : public prometheus::Collectable {
 public:
  // Adds a function that sets values before every scrape. Scrapes do not overlap. The function must be fast.
  void AddRefresher(std::function<void()> refresh) { refreshers_.push_back(std::move(refresh)); }

  std::vector<prometheus::MetricFamily> Collect() const override {
    MutexLock lock(collecting_);
    for (const auto& refresh : refreshers_) refresh();
    return families_.Collect();
  }

  prometheus::Registry& families() { return families_; }

 private:
  prometheus::Registry families_;
  std::vector<std::function<void()>> refreshers_;
  mutable Mutex collecting_;  // held during a scrape
};

// Families: one name, and a value for each set of labels. A value exists from its first use on. Thread-safe.
class Counter {
 public:
  Counter(Registry& registry, const char* name, const char* help)
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry.families())) {}

  void Add(const Labels& labels = {}, double by = 1) { family_.Add(labels).Increment(by); }
  // Sets a value that is counted elsewhere. It never decreases. For one thread at a time.
  void RaiseTo(uint64_t count, const Labels& labels = {}) {
    prometheus::Counter& counter = family_.Add(labels);
    counter.Increment(static_cast<double>(count) - counter.Value());  // a negative difference is ignored
  }

 private:
  prometheus::Family<prometheus::Counter>& family_;
};

class Gauge {
 public:
  Gauge(Registry& registry, const char* name, const char* help)
      : family_(prometheus::BuildGauge().Name(name).Help(help).Register(registry.families())) {}

  void Set(double value, const Labels& labels = {}) { family_.Add(labels).Set(value); }
  // Removes the value of something that does not exist any more.
  void Remove(const Labels& labels) { family_.Remove(&family_.Add(labels)); }

 private:
  prometheus::Family<prometheus::Gauge>& family_;
};

class Histogram {
 public:
  // `bounds`: inclusive upper bounds of the buckets, ascending, in the unit of the observed values.
  Histogram(Registry& registry, const char* name, const char* help, std::vector<double> bounds)
      : family_(prometheus::BuildHistogram().Name(name).Help(help).Register(registry.families())),
        bounds_(std::move(bounds)) {}

  void Observe(double value, const Labels& labels = {}) { family_.Add(labels, bounds_).Observe(value); }

 private:
  prometheus::Family<prometheus::Histogram>& family_;
  const std::vector<double> bounds_;
};

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_METRICS_H_
