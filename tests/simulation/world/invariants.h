// What must hold in every run, whatever the network does, while fewer than a third of the validators are dishonest.
#ifndef LEAN_TESTS_SIMULATION_WORLD_INVARIANTS_H_
#define LEAN_TESTS_SIMULATION_WORLD_INVARIANTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_service.h"
#include "common/bytes/bytes.h"

namespace lean::simulation {

enum class Rule {
  kFinality,   // no two finalized blocks conflict
  kLeaves,     // no leaf of an honest validator signs two roots
  kLiveness,   // once the network is good, finality follows
  kHeads,      // once the network is good, honest nodes have one head at the end of a slot
  kHonestBan,  // no honest node ends a connection to another one for an offence
  kMemory,     // what a node holds follows from the registry, not from time
  kContract,   // messages between beacon and engine are as network_engine.proto says
  kClient,     // no validator client of an honest node ends
  kRestore,    // after a power cut a chain is opened again, and has what was finalized before
};
const char* NameOf(Rule rule);

struct Violation {
  Rule rule = Rule::kFinality;
  uint64_t slot = 0;
  std::string what;  // for people
};

// Once the network has been good for this many slots, the finalized block of every honest node is at most
// MaxFinalityLag slots behind. `outage`: slots without finality before that. The longer it was, the further apart are
// the slots that can be justified (docs/reliability.md).
uint64_t RecoverySlots(uint64_t outage);
// Peers ban dishonest nodes for up to 125 slots, so that their validators are absent meanwhile. With a quarter
// absent, two finalized slots are up to 9 slots apart.
constexpr uint64_t MaxFinalityLag(bool has_dishonest_nodes) { return has_dishonest_nodes ? 24 : 12; }

// Remembers the first violation. One thread.
class Invariants {
 public:
  const std::optional<Violation>& violation() const { return violation_; }
  void Violate(Rule rule, uint64_t slot, std::string what);

  // A key of an honest node signs.
  void OnSigned(uint64_t validator, uint64_t slot, const Root& root, uint64_t now_slot);

  // Compares the node's finalized block with those of all nodes. The chain is an honest node's.
  void CheckFinality(size_t node, const beacon::LeanChain& chain, uint64_t now_slot);
  // `service` belongs to an honest node.
  void CheckMemory(size_t node, const beacon::ChainService& service, uint64_t now_slot);

  // Slot of the highest finalized block of any honest node.
  uint64_t finalized_slot() const { return finalized_.empty() ? 0 : finalized_.size() - 1; }

 private:
  std::optional<Violation> violation_;
  std::vector<Root> finalized_;                             // of the finalized chain, by slot
  std::map<std::pair<uint64_t, uint64_t>, Root> leaves_;    // of the newest slots, by slot and validator
  std::map<size_t, std::deque<uint64_t>> finalized_slots_;  // by node, at the ends of the newest slots
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_INVARIANTS_H_
