// A chain again, from what a database holds of it.
#ifndef LEAN_BEACON_STORAGE_RESTORE_H_
#define LEAN_BEACON_STORAGE_RESTORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/storage/database/chain_database.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct RestoredChain {
  LeanChain chain;
  uint64_t snapshot_slot = 0;  // where it began
  size_t replayed = 0;         // blocks
  size_t left_out = 0;         // orphans that branch off below the snapshot
  size_t votes = 0;            // from gossip, newer than those in blocks
};

// From the newest snapshot, finalized or not, with the tree of blocks since finality and every root ever imported
// known; the blocks above it by the transition, whose signatures were checked when they were imported; then the votes.
// So it reads the bodies of some tens of blocks and of nothing else, however long ago anything was finalized. Tells of
// its progress in the log when it takes long. kDataLoss: what a block or snapshot of the finalized chain should be is
// not there, or is something else.
absl::StatusOr<RestoredChain> RestoreChain(const ChainDatabase& database, const Clock& clock, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_RESTORE_H_
