// The genesis folder in the format of lean-quickstart at devnet-1, and the state and block derived from it.
#ifndef LEAN_COMMON_CONFIG_GENESIS_H_
#define LEAN_COMMON_CONFIG_GENESIS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/containers/block.h"
#include "common/containers/state.h"

namespace lean {

// config.yaml: GENESIS_TIME, ACTIVE_EPOCH, VALIDATOR_COUNT, GENESIS_VALIDATORS.
struct GenesisConfig {
  uint64_t genesis_time = 0;  // Unix seconds
  uint64_t active_epoch = 0;  // log2 of the slots that the keys are active for, as the tooling has it; informative
  std::vector<PublicKeyBytes> validators;  // 1..4096, by index
};

// validators.yaml: node name to the indices it runs.
using ValidatorAssignment = std::map<std::string, std::vector<uint64_t>>;

// Errors name file, line and field: a missing field, a key of another length, VALIDATOR_COUNT that differs from the
// list's length, more than 4096 validators.
absl::StatusOr<GenesisConfig> ReadGenesisConfig(const std::string& genesis_dir);
absl::Status WriteGenesisConfig(const GenesisConfig& config, const std::string& genesis_dir);

// Refuses an index that two names claim or that is not below validator_count.
absl::StatusOr<ValidatorAssignment> ReadValidatorAssignment(const std::string& genesis_dir, uint64_t validator_count);
absl::Status WriteValidatorAssignment(const ValidatorAssignment& assignment, const std::string& genesis_dir);

// Slot 0 of the chain (leanSpec State.generate_genesis). Derived from the config alone.
struct Genesis {
  std::shared_ptr<const State> state;
  std::shared_ptr<const Block> block;
  Root state_root;
  Root block_root;
};
Genesis MakeGenesis(const GenesisConfig& config);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_H_
