// Runs a scenario: nodes with a beacon and a validator client each, on one thread and in virtual time.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SIMULATION_H_
#define LEAN_TESTS_SIMULATION_WORLD_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/log/logger.h"
#include "tests/simulation/world/fabric.h"
#include "tests/simulation/world/invariants.h"
#include "tests/simulation/world/scenario.h"
#include "tests/simulation/world/simulated_beacon.h"
#include "tests/simulation/world/simulated_client.h"
#include "tests/simulation/world/virtual_time.h"

namespace lean::simulation {

struct RunResult {
  std::optional<Violation> violation = std::nullopt;
  uint64_t digest = 0;  // of everything that has happened, in order
  uint64_t slots = 0;   // that were simulated
  uint64_t events = 0;
  uint64_t messages = 0;        // between engines
  uint64_t finalized_slot = 0;  // the highest of any honest node
  bool recorded = true;         // false: a recording could not be written
};

struct RunOptions {
  std::string folder = {};  // for the signing records; is emptied
  std::shared_ptr<spdlog::logger> log = nullptr;
  // What the pages of these nodes' beacons get is recorded in DIR/node-N.jsonl (NodeRecorder). The folder exists.
  std::string record_folder = {};
  std::vector<size_t> recorded = {};
  // To show that rules are broken when their condition is not met: judges also when a third of the validators or more
  // are dishonest; judges twins like honest nodes; a kill deletes what the disks have of the chain.
  bool judge_always = false;
  bool trust_twins = false;
  bool lose_chains = false;
};

// The result depends on the scenario alone. The random faults of the scenario are drawn first. Ends at the first
// violation.
RunResult Run(const Scenario& scenario, const RunOptions& options);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SIMULATION_H_
