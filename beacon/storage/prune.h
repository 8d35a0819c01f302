// Drops what a data folder can do without.
#ifndef LEAN_BEACON_STORAGE_PRUNE_H_
#define LEAN_BEACON_STORAGE_PRUNE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "beacon/storage/database/chain_database.h"

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

// While a beacon runs: drops one step of the bodies that are more than keep_slots behind the finalized slot, orphans'
// and snapshots included, and gives their space back. nullopt: not a step's worth is there to be dropped, or nothing
// can be spared. Otherwise the first slot that is kept from now on, which is the new floor: the slot of a snapshot, so
// that every block kept has a state and a restart has what it needs. A step is an eighth of keep_slots, 32 slots at
// least; no more than 1024 slots of bodies go at once.
absl::StatusOr<std::optional<uint64_t>> DropOldBlocks(ChainDatabase& database, uint64_t finalized_slot,
                                                      uint64_t keep_slots);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_PRUNE_H_
