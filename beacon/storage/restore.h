// Restores a chain from its database at the start of a beacon.
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
  uint64_t snapshot_slot = 0;  // of the snapshot that it started from
  size_t replayed = 0;         // number of blocks
  size_t left_out = 0;         // orphans that branch off below the snapshot
  size_t votes = 0;            // from gossip, newer than those in blocks
};

// Starts from the newest snapshot, finalized or not, with the tree of blocks since finality and with every imported
// root known. Then applies the transition of the blocks above it, whose signatures were checked when they were
// imported, and adds the votes. So it reads the bodies of some tens of blocks, however long nothing was finalized. Logs
// its progress when it takes long. kDataLoss: a block or snapshot of the finalized chain is missing or wrong.
absl::StatusOr<RestoredChain> RestoreChain(const ChainDatabase& database, const Clock& clock, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_RESTORE_H_
