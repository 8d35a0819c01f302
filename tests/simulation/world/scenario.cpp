#include "tests/simulation/world/scenario.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/yaml.h"
#include "common/status/status_macros.h"

namespace lean::simulation {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr uint64_t kMaxNumber = uint64_t{1} << 32;
constexpr size_t kMaxFaults = 10'000;

// A number of the scenario, by its name in the file.
template <typename T>
absl::Status Take(const YamlValue& map, absl::string_view name, uint64_t most, T& out) {
  ASSIGN_OR_RETURN(const std::optional<YamlValue> value, map.OptionalField(name));
  if (!value.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t number, value->Number(0, most));
  out = static_cast<T>(number);
  return absl::OkStatus();
}

absl::StatusOr<Fault> ReadFault(const YamlValue& map, size_t nodes) {
  RETURN_IF_ERROR(map.CheckFields({"kind", "from", "until", "nodes", "ahead_ms", "behind_ms"}));
  Fault fault;
  ASSIGN_OR_RETURN(const YamlValue kind, map.Field("kind", "what happens"));
  ASSIGN_OR_RETURN(const std::string name, kind.Text());
  const auto known = std::find_if(kFaultKinds.begin(), kFaultKinds.end(),
                                  [&](FaultKind candidate) { return name == NameOf(candidate); });
  if (known == kFaultKinds.end()) return kind.Error("no kind of fault");
  fault.kind = *known;
  RETURN_IF_ERROR(Take(map, "from", kMaxNumber, fault.from_slot));
  RETURN_IF_ERROR(Take(map, "until", kMaxNumber, fault.until_slot));
  int64_t behind = 0;
  RETURN_IF_ERROR(Take(map, "ahead_ms", kMaxNumber, fault.amount));
  RETURN_IF_ERROR(Take(map, "behind_ms", kMaxNumber, behind));
  fault.amount -= behind;
  ASSIGN_OR_RETURN(const YamlValue list, map.Field("nodes", "the nodes to which it happens"));
  ASSIGN_OR_RETURN(const std::vector<YamlValue> items, list.Items(nodes));
  for (const YamlValue& item : items) {
    ASSIGN_OR_RETURN(const uint64_t node, item.Number(0, nodes - 1));
    fault.nodes.push_back(node);
  }
  return fault;
}

absl::Status ReadLinks(const YamlValue& map, LinkQuality& links) {
  RETURN_IF_ERROR(map.CheckFields({"latency_ms", "jitter_ms", "loss_percent", "repeat_percent"}));
  RETURN_IF_ERROR(Take(map, "latency_ms", 60'000, links.latency_ms));
  RETURN_IF_ERROR(Take(map, "jitter_ms", 60'000, links.jitter_ms));
  RETURN_IF_ERROR(Take(map, "loss_percent", 100, links.loss_percent));
  return Take(map, "repeat_percent", 100, links.repeat_percent);
}

// Draws faults of one scenario.
class Drawing {
 public:
  explicit Drawing(Scenario& scenario) : scenario_(scenario), random_(scenario.seed * 2 + 1) {
    std::vector<size_t> nodes(scenario.nodes);
    std::iota(nodes.begin(), nodes.end(), 0);
    std::shuffle(nodes.begin(), nodes.end(), random_);
    // Those that twins make dishonest count first.
    for (size_t node = 0; node < scenario.twins; ++node) dishonest_.push_back(node);
    for (const size_t node : nodes) {
      if (node < scenario.twins) continue;
      dishonest_.push_back(node);
      if (!IsUnderAThird()) {
        dishonest_.pop_back();
        break;
      }
    }
  }

  void Draw() {
    const uint64_t end = scenario_.slots - std::min(scenario_.slots, scenario_.calm_slots);
    for (uint64_t slot = 1; slot < end; ++slot) {
      for (const FaultKind kind : kFaultKinds) {
        if (Random(100) >= scenario_.random_percent) continue;
        Fault fault{.kind = kind, .from_slot = slot, .until_slot = std::min(end, slot + 1 + Random(16))};
        fault.nodes = NodesFor(kind, slot);
        if (kind == FaultKind::kSkew) fault.amount = static_cast<int64_t>(Random(8'000)) - 4'000;
        if (!fault.nodes.empty()) scenario_.faults.push_back(std::move(fault));
      }
    }
  }

 private:
  uint64_t Random(uint64_t bound) { return random_() % bound; }

  bool IsUnderAThird() const {
    size_t validators = 0;
    for (const size_t node : dishonest_) validators += scenario_.ValidatorsOf(node).size();
    return 3 * validators < scenario_.validators;
  }

  std::vector<size_t> NodesFor(FaultKind kind, uint64_t slot) {
    std::vector<size_t> nodes;
    if (kind == FaultKind::kPartition) {
      if (partition_until_ > slot) return nodes;  // one at a time
      partition_until_ = slot + 17;
      for (size_t node = 0; node < scenario_.all_nodes(); ++node) {
        if (Random(2) == 0) nodes.push_back(node);
      }
    } else if (IsDishonest(kind)) {
      if (!dishonest_.empty()) nodes.push_back(dishonest_[Random(dishonest_.size())]);
    } else if (kind == FaultKind::kKill && scenario_.disks >= scenario_.nodes && Random(4) == 0) {
      // All of them at once, since their chains come back.
      for (size_t node = 0; node < scenario_.nodes; ++node) nodes.push_back(node);
    } else {
      const size_t node = Random(scenario_.nodes);
      uint64_t& until = busy_until_[node];
      const auto busy = std::count_if(busy_until_.begin(), busy_until_.end(),
                                      [slot](const auto& entry) { return entry.second > slot; });
      if (until > slot || 3 * (static_cast<size_t>(busy) + 1) > scenario_.nodes) return nodes;
      until = slot + 24;  // until it has synced again
      nodes.push_back(node);
    }
    return nodes;
  }

  Scenario& scenario_;
  std::mt19937_64 random_;
  std::vector<size_t> dishonest_;
  uint64_t partition_until_ = 0;
  std::map<size_t, uint64_t> busy_until_;
};

}  // namespace

const char* NameOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kPartition:
      return "partition";
    case FaultKind::kKill:
      return "kill";
    case FaultKind::kWipe:
      return "wipe";
    case FaultKind::kSkew:
      return "skew";
    case FaultKind::kWithhold:
      return "withhold";
    case FaultKind::kSilent:
      return "silent";
    case FaultKind::kLie:
      return "lie";
    case FaultKind::kGarbage:
      return "garbage";
  }
  return "unknown";
}

bool IsDishonest(FaultKind kind) {
  return kind == FaultKind::kWithhold || kind == FaultKind::kSilent || kind == FaultKind::kLie ||
         kind == FaultKind::kGarbage;
}

std::vector<uint64_t> Scenario::ValidatorsOf(size_t node) const {
  std::vector<uint64_t> mine;
  for (uint64_t validator = node < nodes ? node : node - nodes; validator < validators; validator += nodes) {
    mine.push_back(validator);
  }
  return mine;
}

std::vector<size_t> Scenario::DishonestNodes() const {
  std::set<size_t> dishonest;
  for (size_t twin = 0; twin < twins; ++twin) dishonest.insert({twin, nodes + twin});
  for (const Fault& fault : faults) {
    if (IsDishonest(fault.kind)) dishonest.insert(fault.nodes.begin(), fault.nodes.end());
  }
  return {dishonest.begin(), dishonest.end()};
}

bool Scenario::IsSafe() const {
  std::set<uint64_t> faulty;
  for (const size_t node : DishonestNodes()) {
    const std::vector<uint64_t> its = ValidatorsOf(node);
    faulty.insert(its.begin(), its.end());
  }
  return 3 * faulty.size() < validators;
}

Scenario WithRandomFaults(Scenario scenario) {
  if (scenario.random_percent > 0) Drawing(scenario).Draw();
  scenario.random_percent = 0;
  return scenario;
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(path, kMaxBytes));
  RETURN_IF_ERROR(root.CheckFields({"seed", "nodes", "validators", "slots", "slot_ms", "peers", "links", "calm_slots",
                                    "twins", "disks", "random_percent", "faults"}));
  Scenario scenario;
  RETURN_IF_ERROR(Take(root, "seed", UINT64_MAX, scenario.seed));
  RETURN_IF_ERROR(Take(root, "nodes", 4096, scenario.nodes));
  RETURN_IF_ERROR(Take(root, "validators", 4096, scenario.validators));
  RETURN_IF_ERROR(Take(root, "slots", kMaxNumber, scenario.slots));
  RETURN_IF_ERROR(Take(root, "slot_ms", 60'000, scenario.slot_ms));
  RETURN_IF_ERROR(Take(root, "peers", 4096, scenario.peers));
  RETURN_IF_ERROR(Take(root, "calm_slots", kMaxNumber, scenario.calm_slots));
  RETURN_IF_ERROR(Take(root, "twins", 4096, scenario.twins));
  RETURN_IF_ERROR(Take(root, "disks", 4096, scenario.disks));
  RETURN_IF_ERROR(Take(root, "random_percent", 100, scenario.random_percent));
  ASSIGN_OR_RETURN(const std::optional<YamlValue> links, root.OptionalField("links"));
  if (links.has_value()) {
    RETURN_IF_ERROR(ReadLinks(*links, scenario.links));
  }
  if (scenario.nodes == 0 || scenario.validators == 0 || scenario.slot_ms < 400 || scenario.slot_ms % 4 != 0) {
    return root.Error("no nodes, no validators, or a slot_ms that is below 400 or no multiple of 4");
  }
  if (scenario.twins > scenario.nodes) return root.Error("more twins than nodes");
  ASSIGN_OR_RETURN(const std::optional<YamlValue> faults, root.OptionalField("faults"));
  if (!faults.has_value()) return scenario;
  ASSIGN_OR_RETURN(const std::vector<YamlValue> items, faults->Items(kMaxFaults));
  for (const YamlValue& item : items) {
    ASSIGN_OR_RETURN(Fault fault, ReadFault(item, scenario.all_nodes()));
    scenario.faults.push_back(std::move(fault));
  }
  return scenario;
}

std::string ToYaml(const Scenario& scenario) {
  std::string yaml =
      absl::StrCat("seed: ", scenario.seed, "\nnodes: ", scenario.nodes, "\nvalidators: ", scenario.validators,
                   "\nslots: ", scenario.slots, "\nslot_ms: ", scenario.slot_ms, "\npeers: ", scenario.peers,
                   "\ncalm_slots: ", scenario.calm_slots, "\ntwins: ", scenario.twins, "\ndisks: ", scenario.disks,
                   "\nrandom_percent: ", scenario.random_percent, "\nlinks: {latency_ms: ", scenario.links.latency_ms);
  absl::StrAppend(&yaml, ", jitter_ms: ", scenario.links.jitter_ms, ", loss_percent: ", scenario.links.loss_percent,
                  ", repeat_percent: ", scenario.links.repeat_percent,
                  "}\nfaults:", scenario.faults.empty() ? " []\n" : "\n");
  for (const Fault& fault : scenario.faults) {
    absl::StrAppend(&yaml, "  - {kind: ", NameOf(fault.kind), ", from: ", fault.from_slot,
                    ", until: ", fault.until_slot, ", nodes: [", absl::StrJoin(fault.nodes, ", "), "]");
    if (fault.amount > 0) absl::StrAppend(&yaml, ", ahead_ms: ", fault.amount);
    if (fault.amount < 0) absl::StrAppend(&yaml, ", behind_ms: ", -fault.amount);
    absl::StrAppend(&yaml, "}\n");
  }
  return yaml;
}

}  // namespace lean::simulation
