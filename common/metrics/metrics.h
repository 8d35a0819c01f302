// Numbers about a process for Prometheus. Each program declares its own in one file, a table of the families below.
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

// What a program tells. Outlives its families. Thread-safe once the last refresher is added.
class Registry : public prometheus::Collectable {
 public:
  // Called at every scrape, one scrape at a time, to set what is read rather than counted. Must be quick.
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
  mutable Mutex collecting_;  // held for a scrape
};

// Families: one name, a value for each set of labels. A value is there from its first use on. Thread-safe.
class Counter {
 public:
  Counter(Registry& registry, const char* name, const char* help)
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry.families())) {}

  void Add(const Labels& labels = {}, double by = 1) { family_.Add(labels).Increment(by); }
  // Of what is counted elsewhere; for one thread at a time. Never goes back.
  void RaiseTo(uint64_t count, const Labels& labels = {}) {
    prometheus::Counter& counter = family_.Add(labels);
    counter.Increment(static_cast<double>(count) - counter.Value());  // a negative one is ignored
  }

 private:
  prometheus::Family<prometheus::Counter>& family_;
};

class Gauge {
 public:
  Gauge(Registry& registry, const char* name, const char* help)
      : family_(prometheus::BuildGauge().Name(name).Help(help).Register(registry.families())) {}

  void Set(double value, const Labels& labels = {}) { family_.Add(labels).Set(value); }
  // Of something that has gone.
  void Remove(const Labels& labels) { family_.Remove(&family_.Add(labels)); }

 private:
  prometheus::Family<prometheus::Gauge>& family_;
};

class Histogram {
 public:
  // `bounds`: inclusive upper ones of the buckets, ascending, in the unit of what is observed.
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
