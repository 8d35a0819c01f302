#include "common/metrics/metrics.h"

namespace lean::metrics {

std::vector<prometheus::MetricFamily> Registry::Collect() const {
  MutexLock lock(collecting_);
  for (const auto& refresh : refreshers_) refresh();
  return families_.Collect();
}

}  // namespace lean::metrics
