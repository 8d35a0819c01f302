// Files for tools, archives and other beacons: blocks of the finalized chain, and checkpoints.
#ifndef LEAN_BEACON_STORAGE_CHAIN_FILES_H_
#define LEAN_BEACON_STORAGE_CHAIN_FILES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/storage/database/chain_database.h"
#include "common/config/genesis.h"
#include "common/containers/containers.h"
#include "common/crypto/signature_scheme.h"

namespace lean::beacon {

// Unchecked.
struct CheckpointParts {
  SignedBlockWithAttestation block;
  State state;  // the post-state of the block
};

// The most bytes of either part's SSZ. The largest block has 13.3 MB. A state at the chain's end has 9 MB, and more
// only by votes on targets that were never justified.
inline constexpr uint64_t kMaxCheckpointPartBytes = uint64_t{256} << 20;

// The file has "LEANCHK1", then for block and state the length of its SSZ as a little-endian u64, and the SSZ.
// Written atomically (WholeFile). AlreadyExists: there is a file with this name.
absl::Status WriteCheckpointFile(const std::string& path, const SignedBlockWithAttestation& block, const State& state);
// InvalidArgument: the file is not a checkpoint. Other errors are the system's.
absl::StatusOr<CheckpointParts> ReadCheckpointFile(const std::string& path);

// Checks that a chain can start from the parts: the block has `root`, if given; the state is the block's post-state;
// validators, genesis time and the block at slot 0 are those of genesis; the proposer's signature is right.
// InvalidArgument says what is wrong. Without `root` this shows only that the parts belong to this network, not that
// its validators have finalized them: the keys of one proposer suffice to forge such a pair.
absl::StatusOr<Anchor> CheckAnchor(CheckpointParts parts, const Genesis& genesis, const crypto::SignatureScheme& scheme,
                                   const std::optional<Root>& root);

struct SlotRange {
  uint64_t first = 0;
  uint64_t last = 0;  // included
};

// Parses "FROM..TO", two slots in decimal. InvalidArgument: the text has another form, or TO is below FROM.
absl::StatusOr<SlotRange> ParseSlotRange(absl::string_view text);

// Writes the canonical blocks of these slots in ascending order. The file has "LEANBLK1", then for each block the
// length of its SSZ(SignedBlockWithAttestation) as a little-endian u64, and the SSZ. Returns the number of blocks.
// Holds one block in memory at a time. OutOfRange: not all slots are finalized, or blocks that old are not held.
// DataLoss: a block that should be held is missing. Other errors as of WholeFile. On an error no file is left.
absl::StatusOr<uint64_t> WriteBlockFile(const std::string& path, const ChainDatabase& database, const SlotRange& slots);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_CHAIN_FILES_H_
