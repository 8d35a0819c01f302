// Blocks of the finalized chain as a file, for tools and archives.
#ifndef LEAN_BEACON_STORAGE_BLOCK_FILE_H_
#define LEAN_BEACON_STORAGE_BLOCK_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/storage/database/chain_database.h"

namespace lean::beacon {

struct SlotRange {
  uint64_t first = 0;
  uint64_t last = 0;  // included
};

// "FROM..TO", two slots in decimal. InvalidArgument: it is none, or ends before it begins.
absl::StatusOr<SlotRange> ParseSlotRange(absl::string_view text);

// The file: "LEANBLK1", then for every block of these slots that is canonical, ascending, the length of its
// SSZ(SignedBlockWithAttestation) as a little-endian u64, and the SSZ. It ends with the last block. One block is in
// memory at a time. Returns how many there are. OutOfRange: these slots are not all finalized, or blocks that old are
// not held. DataLoss: a block that should be held is not there. AlreadyExists, ..: as of WholeFile, which this is: on
// an error no file is left.
absl::StatusOr<uint64_t> WriteBlockFile(const std::string& path, const ChainDatabase& database, const SlotRange& slots);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_BLOCK_FILE_H_
