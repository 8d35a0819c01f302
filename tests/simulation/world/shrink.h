// Makes the scenario of a failure short.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SHRINK_H_
#define LEAN_TESTS_SIMULATION_WORLD_SHRINK_H_

#include <cstddef>
#include <functional>

#include "tests/simulation/world/scenario.h"
#include "tests/simulation/world/simulation.h"

namespace lean::simulation {

inline constexpr size_t kMostShrinkRuns = 200;

struct Shrunk {
  Scenario scenario;
  Violation violation;
  size_t runs = 0;
};

// The shortest scenario that was found to violate the same rule as `failing`: fewer slots,
// fewer and shorter faults, fewer nodes in them, better links. Makes at most kMostShrinkRuns runs.
Shrunk Shrink(const Scenario& failing, const Violation& violation,
              const std::function<RunResult(const Scenario&)>& run);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SHRINK_H_
