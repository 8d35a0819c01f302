// Writes the tables of docs/metrics.md from those of the C++ programs.
//
// Usage: lean-metrics-page PAGE           writes the generated parts of the page anew
//        lean-metrics-page --check PAGE   fails if that would change the page

#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "beacon/commands/beacon_metrics.h"
#include "common/metrics/metrics.h"
#include "validator_client/duties/validator_metrics.h"

namespace lean::metrics {
namespace {

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

// Without an exponent.
void AppendNumber(std::string* text, double number) { absl::StrAppendFormat(text, "%.12g", number); }

std::string Row(const Description& metric) {
  std::vector<std::string> labels;
  std::string text = metric.help;
  for (const Label& label : metric.labels) {
    labels.push_back(label.name);
    if (!label.values.empty())
      absl::StrAppend(&text, ". ", label.name, ": `", absl::StrJoin(label.values, "`, `"), "`");
  }
  if (!metric.bounds.empty()) absl::StrAppend(&text, ". Buckets: ", absl::StrJoin(metric.bounds, ", ", AppendNumber));
  const std::string braces = labels.empty() ? "" : absl::StrCat("{", absl::StrJoin(labels, ","), "}");
  return absl::StrCat("| `", metric.name, braces, "` | ", KindName(metric.kind), " | ", text, " |\n");
}

template <typename Table>
std::string TableOf() {
  Registry registry;
  const Table table(registry);
  std::string text = "| name | type | meaning |\n|-|-|-|\n";
  for (const Description& metric : registry.descriptions()) text += Row(metric);
  return text;
}

// Replaces what is between the two comments that name the program. False: the page does not have them.
bool Replace(std::string& page, const std::string& program, const std::string& table) {
  const std::string begin = absl::StrCat("<!-- metrics of ", program, " -->\n");
  const size_t start = page.find(begin);
  const size_t end = page.find(absl::StrCat("<!-- end of ", program, " -->"));
  if (start == std::string::npos || end == std::string::npos || end < start) return false;
  page.replace(start + begin.size(), end - start - begin.size(), table);
  return true;
}

int Run(const std::string& path, bool check) {
  std::ifstream file(path);
  const std::string old((std::istreambuf_iterator<char>(file)), {});
  std::string page = old;
  if (!Replace(page, "lean-beacon", TableOf<beacon::BeaconMetrics>()) ||
      !Replace(page, "lean-validator", TableOf<validator::ValidatorMetrics>())) {
    std::cerr << path << " is not readable, or its comments that enclose the tables are missing\n";
    return 1;
  }
  if (page == old) return 0;
  if (check) {
    std::cerr << path << " differs from the programs' tables. Run: lean-metrics-page " << path << "\n";
    return 1;
  }
  std::ofstream(path) << page;
  return 0;
}

}  // namespace
}  // namespace lean::metrics

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::strcmp(argv[1], "--check") == 0;
  if (argc != 2 && !check) {
    std::cerr << "usage: lean-metrics-page [--check] PAGE\n";
    return 2;
  }
  return lean::metrics::Run(argv[argc - 1], check);
}
