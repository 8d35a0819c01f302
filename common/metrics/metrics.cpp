#include "common/metrics/metrics.h"

namespace lean::metrics {

std::vector<prometheus::MetricFamily> Registry::Collect() const {
  std::lock_guard lock(collecting_);
  for (const auto& refresh : refreshers_) refresh();
  return families_.Collect();
}

}  // namespace lean::metrics
