// Slot 0 of a chain, which follows from the genesis folder, and a check of its validators' keys.
#ifndef LEAN_COMMON_CONFIG_GENESIS_H_
#define LEAN_COMMON_CONFIG_GENESIS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis_folder.h"
#include "common/containers/block.h"
#include "common/containers/state.h"

namespace lean::crypto {
class SignatureScheme;
}  // namespace lean::crypto

namespace lean {

struct Genesis {
  std::shared_ptr<const State> state;
  std::shared_ptr<const Block> block;
  Root state_root;
  Root block_root;
};

// Source: leanSpec 050fa4a, State.generate_genesis. InvalidArgument: no validators, or more than 4096.
absl::StatusOr<Genesis> MakeGenesis(const GenesisConfig& config);

// OK when every key can be decoded. With any other key, votes can never be verified, and the reference refuses every
// block. InvalidArgument names the first wrong index. Call it when a process starts.
absl::Status CheckPublicKeys(const GenesisConfig& config, const crypto::SignatureScheme& scheme);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_H_
