#include "common/metrics/metrics.h"

#include <algorithm>

#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace lean::metrics {
namespace {

// All combinations of the labels' values; one without labels. Empty if the values of a label are not known.
std::vector<Labels> Combinations(const std::vector<Label>& labels) {
  std::vector<Labels> all = {Labels()};
  for (const Label& label : labels) {
    std::vector<Labels> longer;
    for (const Labels& chosen : all) {
      for (const std::string& value : label.values) {
        longer.push_back(chosen);
        longer.back().emplace(label.name, value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace

Registry::Registry() : families_(std::make_unique<prometheus::Registry>()) {}

Registry::~Registry() = default;

std::vector<prometheus::MetricFamily> Registry::Collect() const {
  MutexLock lock(collecting_);
  for (const auto& refresh : refreshers_) refresh();
  return families_->Collect();
}

prometheus::Registry& Registry::Declare(Description description) {
  descriptions_.push_back(std::move(description));
  return *families_;
}

Counter::Counter(Registry& registry, const char* name, const char* help, std::vector<Label> labels)
    : family_(prometheus::BuildCounter().Name(name).Help(help).Register(
          registry.Declare({.name = name, .help = help, .kind = Kind::kCounter, .labels = labels, .bounds = {}}))) {
  for (const Labels& values : Combinations(labels)) family_.Add(values);
}

void Counter::Add(const Labels& labels, double by) { family_.Add(labels).Increment(by); }

void Counter::RaiseTo(double count, const Labels& labels) {
  prometheus::Counter& counter = family_.Add(labels);
  counter.Increment(count - counter.Value());  // a negative difference is ignored
}

Gauge::Gauge(Registry& registry, const char* name, const char* help, std::vector<Label> labels)
    : family_(prometheus::BuildGauge().Name(name).Help(help).Register(registry.Declare(
          {.name = name, .help = help, .kind = Kind::kGauge, .labels = std::move(labels), .bounds = {}}))) {}

void Gauge::Set(double value, const Labels& labels) { family_.Add(labels).Set(value); }

void Gauge::Remove(const Labels& labels) { family_.Remove(&family_.Add(labels)); }

Histogram::Histogram(Registry& registry, const char* name, const char* help, std::vector<Label> labels,
                     std::vector<double> bounds)
    : family_(prometheus::BuildHistogram().Name(name).Help(help).Register(registry.Declare(
          {.name = name, .help = help, .kind = Kind::kHistogram, .labels = labels, .bounds = bounds}))),
      bounds_(std::move(bounds)) {
  for (const Labels& values : Combinations(labels)) {
    prometheus::Histogram& histogram = family_.Add(values, bounds_);
    if (labels.empty()) only_ = &histogram;
  }
}

void Histogram::Observe(double value, const Labels& labels) {
  prometheus::Histogram& histogram = only_ != nullptr ? *only_ : family_.Add(labels, bounds_);
  histogram.Observe(value);
}

void Histogram::ObserveEqual(double value, size_t count) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  std::vector<double> increments(bounds_.size() + 1);
  increments[bucket] = static_cast<double>(count);
  only_->ObserveMultiple(increments, value * static_cast<double>(count));
}

Footprints::Footprints(Registry& registry, const std::string& name, const std::string& help, const Label& label)
    : label_(label.name),
      items_(registry, (name + "_items").c_str(), ("Items of " + help).c_str(), {label}),
      bytes_(registry, (name + "_bytes").c_str(),
             ("Approximate bytes of what " + name + "_items counts; what several share counts in each").c_str(),
             {label}) {
  registry.AddRefresher([this] {
    for (const auto& read : reads_) {
      for (const Footprint& footprint : read()) {
        items_.Set(static_cast<double>(footprint.items), {{label_, footprint.name}});
        bytes_.Set(static_cast<double>(footprint.bytes), {{label_, footprint.name}});
      }
    }
  });
}

}  // namespace lean::metrics
