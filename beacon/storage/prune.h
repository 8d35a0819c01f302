// Drops what a data folder can do without.
#ifndef LEAN_BEACON_STORAGE_PRUNE_H_
#define LEAN_BEACON_STORAGE_PRUNE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "beacon/storage/chain_database.h"

namespace lean::beacon {

struct PruneRequest {
  uint64_t snapshot_slots = 1024;      // of older snapshots one in this many slots stays; the newest stays in any case
  std::optional<uint64_t> keep_slots;  // bodies of the finalized chain this far behind finality; nullopt: all
};

struct PruneResult {
  uint64_t orphans = 0;  // bodies dropped, each count
  uint64_t old_blocks = 0;
  uint64_t snapshots = 0;
};

// Drops the bodies of orphans below the finalized block, snapshots and old bodies as asked for, and gives the space
// back to the disk. Roots and slots of all blocks stay: what is valid depends on them. Stopped half way, the folder is
// as good as before.
absl::StatusOr<PruneResult> PruneDatabase(ChainDatabase& database, const PruneRequest& request);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_PRUNE_H_
