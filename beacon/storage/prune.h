// Deletes data that a data folder does not need.
#ifndef LEAN_BEACON_STORAGE_PRUNE_H_
#define LEAN_BEACON_STORAGE_PRUNE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "beacon/storage/database/chain_database.h"

namespace lean::beacon {

struct PruneRequest {
  uint64_t snapshot_slots = 1024;      // keep one older snapshot in this many slots; the newest is always kept
  std::optional<uint64_t> keep_slots;  // keep bodies of the finalized chain this far behind finality; nullopt: all
};

struct PruneResult {
  uint64_t orphans = 0;  // number of deleted bodies
  uint64_t old_blocks = 0;
  uint64_t snapshots = 0;
};

// Deletes the bodies of orphans below the finalized block, and snapshots and old bodies as requested, and returns the
// space to the file system. Keeps roots and slots of all blocks, because validity depends on them. The folder stays
// valid when this is interrupted.
absl::StatusOr<PruneResult> PruneDatabase(ChainDatabase& database, const PruneRequest& request);

// For a running beacon: deletes one step of the bodies that are more than keep_slots behind the finalized slot, orphans
// and snapshots included, and returns their space. Returns the first kept slot, which is the new floor: the slot of a
// snapshot, so that every kept block has a state and a restart finds what it needs. nullopt: less than a step can be
// deleted. A step is an eighth of keep_slots, at least 32 and at most 1024 slots.
absl::StatusOr<std::optional<uint64_t>> DropOldBlocks(ChainDatabase& database, uint64_t finalized_slot,
                                                      uint64_t keep_slots);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_PRUNE_H_
