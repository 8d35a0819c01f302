#include "tests/simulation/world/shrink.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace lean::simulation {
namespace {

class Shrinking {
 public:
  Shrinking(const Scenario& failing, const Violation& violation, const std::function<RunResult(const Scenario&)>& run)
      : rule_(violation.rule), run_(run), best_{.scenario = WithRandomFaults(failing), .violation = violation} {}

  Shrunk Shrink() {
    EndAtTheViolation();
    bool shorter = true;
    while (shorter && best_.runs < kMostShrinkRuns) {
      shorter = DropFaults();
      shorter = ShortenFaults() || shorter;
      shorter = CalmLinks() || shorter;
    }
    return best_;
  }

 private:
  // Takes the scenario if it violates the rule.
  bool Try(Scenario scenario) {
    if (scenario == best_.scenario || best_.runs >= kMostShrinkRuns) return false;
    ++best_.runs;
    RunResult result = run_(scenario);
    if (!result.violation.has_value() || result.violation->rule != rule_) return false;
    best_.scenario = std::move(scenario);
    best_.violation = *std::move(result.violation);
    EndAtTheViolation();
    return true;
  }

  // What comes after the violation does not matter. The slot from which the network is good stays the same.
  void EndAtTheViolation() {
    Scenario& scenario = best_.scenario;
    const uint64_t end = best_.violation.slot + 1;
    if (end >= scenario.slots) return;
    const uint64_t calm_from = scenario.slots - std::min(scenario.slots, scenario.calm_slots);
    scenario.slots = end;
    scenario.calm_slots = end - std::min(end, calm_from);
    std::erase_if(scenario.faults, [end](const Fault& fault) { return fault.from_slot >= end; });
  }

  // Drops as many faults at once as possible.
  bool DropFaults() {
    bool dropped = false;
    for (size_t size = std::max<size_t>(best_.scenario.faults.size(), 1); size > 0; size /= 2) {
      for (size_t at = 0; at < best_.scenario.faults.size();) {
        Scenario fewer = best_.scenario;
        const auto begin = fewer.faults.begin() + static_cast<std::ptrdiff_t>(at);
        fewer.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, fewer.faults.size() - at)));
        if (Try(std::move(fewer))) {
          dropped = true;
        } else {
          at += size;
        }
      }
    }
    return dropped;
  }

  bool ShortenFaults() {
    bool shorter = false;
    for (size_t i = 0; i < best_.scenario.faults.size(); ++i) {
      const uint64_t length = best_.scenario.faults[i].until_slot - best_.scenario.faults[i].from_slot;
      for (const uint64_t tried : {uint64_t{1}, length / 2}) {
        if (i >= best_.scenario.faults.size() || tried == 0 || tried >= length) continue;
        Scenario other = best_.scenario;
        other.faults[i].until_slot = other.faults[i].from_slot + tried;
        if (Try(std::move(other))) {
          shorter = true;
          break;
        }
      }
      for (size_t node = 0; i < best_.scenario.faults.size() && node < best_.scenario.faults[i].nodes.size(); ++node) {
        if (best_.scenario.faults[i].nodes.size() == 1) break;
        Scenario other = best_.scenario;
        other.faults[i].nodes.erase(other.faults[i].nodes.begin() + static_cast<std::ptrdiff_t>(node));
        shorter = Try(std::move(other)) || shorter;
      }
    }
    return shorter;
  }

  bool CalmLinks() {
    bool calmer = false;
    for (uint32_t LinkQuality::*percent : {&LinkQuality::loss_percent, &LinkQuality::repeat_percent}) {
      if (best_.scenario.links.*percent == 0) continue;
      Scenario other = best_.scenario;
      other.links.*percent = 0;
      calmer = Try(std::move(other)) || calmer;
    }
    return calmer;
  }

  const Rule rule_;
  const std::function<RunResult(const Scenario&)>& run_;
  Shrunk best_;
};

}  // namespace

Shrunk Shrink(const Scenario& failing, const Violation& violation,
              const std::function<RunResult(const Scenario&)>& run) {
  return Shrinking(failing, violation, run).Shrink();
}

}  // namespace lean::simulation
