// What every program of the node tells about itself and its process.
#ifndef LEAN_COMMON_METRICS_PROCESS_METRICS_H_
#define LEAN_COMMON_METRICS_PROCESS_METRICS_H_

#include <string>

#include "common/metrics/metrics.h"

namespace lean::metrics {

// The part of a program's table that all programs share. The names are those of Prometheus' client libraries and of
// leanMetrics. Read from /proc at a scrape; where that is not readable, the values are missing. Outlives the scrapes.
class ProcessMetrics {
 public:
  // `program` as in lean-beacon.
  ProcessMetrics(Registry& registry, const std::string& program);
  ProcessMetrics(const ProcessMetrics&) = delete;
  ProcessMetrics& operator=(const ProcessMetrics&) = delete;

 private:
  void Refresh();

  Registry& r_;
  Counter cpu_{r_, "process_cpu_seconds_total", "Time of processors that the process used, in user and in system mode"};
  Gauge resident_{r_, "process_resident_memory_bytes", "Resident memory"};
  Gauge virtual_{r_, "process_virtual_memory_bytes", "Virtual memory"};
  Gauge threads_{r_, "process_threads", "Threads"};
  Gauge open_fds_{r_, "process_open_fds", "Open file descriptors"};
  Gauge max_fds_{r_, "process_max_fds", "How many descriptors may be open"};
  Gauge start_{r_, "process_start_time_seconds", "Unix time of the start of the process"};
  Gauge node_start_{r_, "lean_node_start_time_seconds", "The same, as leanMetrics names it"};
  Gauge node_info_{r_, "lean_node_info", "Always 1", {{"name", {}}, {"version", {}}}};
};

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_PROCESS_METRICS_H_
