#include "common/metrics/process_metrics.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "common/process/descriptors.h"
#include "common/version/version.h"

namespace lean::metrics {
namespace {

// Of /proc/self/stat; see proc(5).
struct Usage {
  double cpu_seconds = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double threads = 0;
  double start_seconds = 0;  // since the machine's start
};

std::optional<Usage> ReadUsage() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the name of the program in parentheses, which may contain spaces. `fields` starts with the
  // third.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream text(line.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(text), {}};
  constexpr size_t kUserTime = 11, kSystemTime = 12, kThreads = 17, kStart = 19, kVirtual = 20, kResident = 21;
  if (fields.size() <= kResident) return std::nullopt;
  const auto field = [&fields](size_t i) { return std::strtod(fields[i].c_str(), nullptr); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Usage{.cpu_seconds = (field(kUserTime) + field(kSystemTime)) / ticks,
               .virtual_bytes = field(kVirtual),
               .resident_bytes = field(kResident) * static_cast<double>(sysconf(_SC_PAGESIZE)),
               .threads = field(kThreads),
               .start_seconds = field(kStart) / ticks};
}

// Unix time of the machine's start.
std::optional<double> ReadMachineStart() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return std::nullopt;
}

std::optional<double> CountDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(begin(open), end(open)) - 1);  // without the one that lists them
}

}  // namespace

ProcessMetrics::ProcessMetrics(Registry& registry, const std::string& program) : r_(registry) {
  node_info_.Set(1, {{"name", program}, {"version", std::string(Version())}});
  const std::optional<Usage> usage = ReadUsage();
  const std::optional<double> machine_start = ReadMachineStart();
  if (usage.has_value() && machine_start.has_value()) {
    start_.Set(*machine_start + usage->start_seconds);
    node_start_.Set(*machine_start + usage->start_seconds);
  }
  registry.AddRefresher([this] { Refresh(); });
}

void ProcessMetrics::Refresh() {
  if (const std::optional<Usage> usage = ReadUsage()) {
    cpu_.RaiseTo(usage->cpu_seconds);
    resident_.Set(usage->resident_bytes);
    virtual_.Set(usage->virtual_bytes);
    threads_.Set(usage->threads);
  }
  if (const std::optional<double> open = CountDescriptors()) open_fds_.Set(*open);
  max_fds_.Set(static_cast<double>(DescriptorLimit()));
}

}  // namespace lean::metrics
