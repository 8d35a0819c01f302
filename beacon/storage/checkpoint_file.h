// A finalized block and its state as one piece: what checkpoint sync begins with, from a file or from another beacon.
#ifndef LEAN_BEACON_STORAGE_CHECKPOINT_FILE_H_
#define LEAN_BEACON_STORAGE_CHECKPOINT_FILE_H_

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

// Not checked yet.
struct CheckpointParts {
  SignedBlockWithAttestation block;
  State state;  // after the block
};

// Of either part's SSZ: the largest block has 13.3 MB; a state at the chain's end 9 MB, and more only by votes on
// targets that nobody justified.
inline constexpr uint64_t kMaxCheckpointPartBytes = uint64_t{256} << 20;

// The file: "LEANCHK1", then for block and state the length of their SSZ as a little-endian u64, and the SSZ.
// A WholeFile; AlreadyExists: there is one of this name.
absl::Status WriteCheckpointFile(const std::string& path, const SignedBlockWithAttestation& block, const State& state);
// InvalidArgument: not such a file. Otherwise the system's words.
absl::StatusOr<CheckpointParts> ReadCheckpointFile(const std::string& path);

// What a chain can be started from, if the parts fit together and are of this chain: the block has the root, if one is
// given; the state is the block's; validators, genesis time and the block at slot 0 are genesis'; the proposer's
// signature is right. InvalidArgument says which of it is not so. Without `root` this shows only that the parts are of
// this network, not that its validators finalized them: with the keys of one proposer anybody can make such a pair.
absl::StatusOr<Anchor> CheckAnchor(CheckpointParts parts, const Genesis& genesis, const crypto::SignatureScheme& scheme,
                                   const std::optional<Root>& root);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_CHECKPOINT_FILE_H_
