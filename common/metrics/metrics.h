// Metrics of a process for Prometheus. Each program declares its metrics in one file, as a table: a struct whose
// members are the families below. docs/metrics.md is generated from these tables (tests/deploy/metrics_page.cpp).
#ifndef LEAN_COMMON_METRICS_METRICS_H_
#define LEAN_COMMON_METRICS_METRICS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"

// The library's headers are large, so that only metrics.cpp and metrics_server.cpp include them.
namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
struct MetricFamily;
template <typename T>
class Family;
}  // namespace prometheus

namespace lean::metrics {

using Labels = std::map<std::string, std::string>;

// A label of a metric and its values. No values: they are not known beforehand.
struct Label {
  std::string name;
  std::vector<std::string> values;
};

enum class Kind { kCounter, kGauge, kHistogram };

// A row of a table.
struct Description {
  std::string name;
  std::string help;
  Kind kind = Kind::kGauge;
  std::vector<Label> labels;
  std::vector<double> bounds;  // of a histogram
};

// The metrics of a program. Must outlive its families. Thread-safe after the last family and refresher were added.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Adds a function that sets values before every scrape. Scrapes do not overlap. The function must be fast.
  void AddRefresher(std::function<void()> refresh) { refreshers_.push_back(std::move(refresh)); }

  // The current values. Calls the refreshers first.
  std::vector<prometheus::MetricFamily> Collect() const;

  // All families, in the order in which they were declared.
  const std::vector<Description>& descriptions() const { return descriptions_; }

  // For the families.
  prometheus::Registry& Declare(Description description);

 private:
  const std::unique_ptr<prometheus::Registry> families_;
  std::vector<Description> descriptions_;
  std::vector<std::function<void()>> refreshers_;
  mutable Mutex collecting_;  // held during a scrape
};

// Families: one name, and a value for each set of labels. Thread-safe. An update takes a microsecond at most, but it
// takes a lock of its own, so it belongs outside of other locks.

// Starts at 0 for all combinations of the labels' values, if these are known; otherwise a value exists from its first
// use on.
class Counter {
 public:
  Counter(Registry& registry, const char* name, const char* help, std::vector<Label> labels = {});

  void Add(const Labels& labels = {}, double by = 1);
  // Sets a value that is counted elsewhere. It never decreases. For one thread at a time.
  void RaiseTo(double count, const Labels& labels = {});

 private:
  prometheus::Family<prometheus::Counter>& family_;
};

// A value exists from its first use on.
class Gauge {
 public:
  Gauge(Registry& registry, const char* name, const char* help, std::vector<Label> labels = {});

  void Set(double value, const Labels& labels = {});
  // Removes the value of something that does not exist any more.
  void Remove(const Labels& labels);

 private:
  prometheus::Family<prometheus::Gauge>& family_;
};

// Starts empty as a Counter starts at 0.
class Histogram {
 public:
  // `bounds`: inclusive upper bounds of the buckets, ascending, in the unit of the observed values.
  Histogram(Registry& registry, const char* name, const char* help, std::vector<Label> labels,
            std::vector<double> bounds);

  void Observe(double value, const Labels& labels = {});
  // `count` observations of `value` at once, of a histogram without labels.
  void ObserveEqual(double value, size_t count);

 private:
  prometheus::Family<prometheus::Histogram>& family_;
  const std::vector<double> bounds_;
  prometheus::Histogram* only_ = nullptr;  // the one without labels, so that an observation need not look for it
};

// Items and bytes of the queues or of the caches of a program, read at a scrape: the gauges NAME_items and NAME_bytes.
// Outlives the scrapes. Thread-safe, except for Add.
class Footprints {
 public:
  // `name` as in lean_beacon_queue; `label` has the names of all footprints.
  Footprints(Registry& registry, const std::string& name, const std::string& help, const Label& label);
  Footprints(const Footprints&) = delete;
  Footprints& operator=(const Footprints&) = delete;

  // Before the first scrape. `read` is fast and thread-safe and can be called until the last scrape.
  void Add(std::function<FootprintList()> read) { reads_.push_back(std::move(read)); }

 private:
  const std::string label_;
  Gauge items_;
  Gauge bytes_;
  std::vector<std::function<FootprintList()>> reads_;
};

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_METRICS_H_
