// Walks everything that a database holds and compares it with what it should be.
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
  uint64_t blocks = 0;                // bodies read
  uint64_t replayed = 0;              // blocks of the finalized chain whose state was computed again
  uint64_t snapshots = 0;             // read and right
  std::vector<std::string> problems;  // the first kMaxProblems
  uint64_t more_problems = 0;         // beyond those
  // OK: a beacon starts on it. Otherwise why it would not.
  absl::Status restart;

  static constexpr size_t kMaxProblems = 100;
};

// Reads every block: its root, slot and parent. Replays the finalized chain from the oldest state that is held: every
// state root and snapshot. Then starts a chain as `run` would. Changes nothing. `progress` is called with slots now and
// then. Ends early, with what it has, once the database is told to stop.
VerifyReport VerifyDatabase(const ChainDatabase& database, spdlog::logger& log,
                            const std::function<void(uint64_t slot)>& progress);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_VERIFY_H_
