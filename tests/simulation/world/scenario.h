// What is simulated: the network, its faults slot by slot, and what makes up faults at random.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SCENARIO_H_
#define LEAN_TESTS_SIMULATION_WORLD_SCENARIO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/simulation/world/fabric.h"

namespace lean::simulation {

enum class FaultKind {
  kPartition,  // the nodes reach each other and nobody else
  kKill,       // the nodes lose their power, in the middle of a write, and come back at the end
  kWipe,       // as kKill; they come back without data and records, and their operator says that this is right
  kSkew,       // the wall clocks of the nodes are `amount` milliseconds ahead
  kWithhold,   // the nodes publish nothing
  kSilent,     // the nodes forward nothing and answer no requests
  kLie,        // the nodes claim a head that nobody has
  kGarbage,    // the nodes send malformed items and wrong signatures
};
inline constexpr std::array kFaultKinds = {FaultKind::kPartition, FaultKind::kKill,     FaultKind::kWipe,
                                           FaultKind::kSkew,      FaultKind::kWithhold, FaultKind::kSilent,
                                           FaultKind::kLie,       FaultKind::kGarbage};
const char* NameOf(FaultKind kind);
// Whether a node with this fault may do what no honest node does. Partitions, kills and wrong clocks happen to honest
// nodes.
bool IsDishonest(FaultKind kind);

// From the beginning of one slot to the beginning of another.
struct Fault {
  FaultKind kind = FaultKind::kPartition;
  uint64_t from_slot = 0;
  uint64_t until_slot = 0;
  std::vector<size_t> nodes = {};
  int64_t amount = 0;

  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Scenario {
  uint64_t seed = 1;
  size_t nodes = 5;
  uint64_t validators = 5;  // validator v belongs to node v % nodes
  uint64_t slots = 96;
  uint64_t slot_ms = 4000;
  size_t peers = 8;  // of each node
  LinkQuality links = {};
  // The last slots, in which the links are good (LinkQuality()) and no fault is made up.
  uint64_t calm_slots = 48;
  // The validators of the first nodes have a second node each, with own records: they equivocate.
  size_t twins = 0;
  // The first nodes keep their chain on a disk, and have it after a kill. The others have theirs in memory.
  size_t disks = 0;
  // Makes up faults: the chance, in percent, that one of a kind begins in a slot.
  uint32_t random_percent = 0;
  std::vector<Fault> faults = {};

  // Twins included.
  size_t all_nodes() const { return nodes + twins; }
  std::vector<uint64_t> ValidatorsOf(size_t node) const;
  // The nodes that are dishonest at any time, in ascending order.
  std::vector<size_t> DishonestNodes() const;
  // Whether their validators are fewer than a third.
  bool IsSafe() const;

  friend bool operator==(const Scenario&, const Scenario&) = default;
};

// The same scenario with random faults drawn from its seed and listed, so that none is made up any more. Dishonest
// nodes have fewer than a third of the validators. At most a third of the nodes are down at a time, or all of them when
// all have disks.
Scenario WithRandomFaults(Scenario scenario);

// YAML. Errors name the file, the line and the field.
absl::StatusOr<Scenario> ReadScenario(const std::string& path);
std::string ToYaml(const Scenario& scenario);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SCENARIO_H_
