// Checks everything that a database holds.
#ifndef LEAN_BEACON_STORAGE_VERIFY_H_
#define LEAN_BEACON_STORAGE_VERIFY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "beacon/storage/database/chain_database.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct VerifyReport {
  uint64_t blocks = 0;                // number of bodies that were read
  uint64_t replayed = 0;              // blocks of the finalized chain whose state was recomputed
  uint64_t snapshots = 0;             // number of right snapshots
  std::vector<std::string> problems;  // the first kMaxProblems
  uint64_t more_problems = 0;         // number of further problems
  // OK: a beacon can start from the database. Otherwise why it cannot.
  absl::Status restart;

  static constexpr size_t kMaxProblems = 100;
};

// Checks the root, slot and parent of every block. Replays the finalized chain from the oldest stored state and checks
// every state root and snapshot. Then starts a chain as `run` does. Changes nothing. Calls `progress` with slots from
// time to time. Returns early, with the results so far, when the database is told to stop.
VerifyReport VerifyDatabase(const ChainDatabase& database, spdlog::logger& log,
                            const std::function<void(uint64_t slot)>& progress);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_VERIFY_H_
