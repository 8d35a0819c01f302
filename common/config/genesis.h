// Slot 0 of a chain, derived from the genesis folder alone, and the check of its validators' keys.
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

// OK when every key can be decoded: a registry that holds another one can never have its votes verified, and the
// reference refuses every block. InvalidArgument names the first index at fault. For the start of a process.
absl::Status CheckPublicKeys(const GenesisConfig& config, const crypto::SignatureScheme& scheme);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_H_
