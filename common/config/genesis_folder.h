// The genesis folder in the format of lean-quickstart at devnet-1: config.yaml, and validators.yaml or
// annotated_validators.yaml.
#ifndef LEAN_COMMON_CONFIG_GENESIS_FOLDER_H_
#define LEAN_COMMON_CONFIG_GENESIS_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"

namespace lean {

inline constexpr size_t kMaxGenesisValidators = 4096;         // leanSpec VALIDATOR_REGISTRY_LIMIT
inline constexpr uint64_t kMaxGenesisTime = 253'402'300'799;  // end of the year 9999, Unix seconds

// config.yaml: GENESIS_TIME, ACTIVE_EPOCH, VALIDATOR_COUNT, GENESIS_VALIDATORS.
struct GenesisConfig {
  uint64_t genesis_time = 0;               // Unix seconds, at most kMaxGenesisTime
  uint64_t active_epoch = 0;               // log2 of the slots that the keys are active for; informative
  std::vector<PublicKeyBytes> validators;  // 1..4096, by index

  friend bool operator==(const GenesisConfig&, const GenesisConfig&) = default;
};

// validators.yaml: from the name of a node to the indices of its validators.
using ValidatorAssignment = std::map<std::string, std::vector<uint64_t>>;

// Reads DIR/config.yaml. Errors name file, line and field: a missing field (only ACTIVE_EPOCH is optional), a key with
// a wrong length, a VALIDATOR_COUNT that differs from the length of the list, more than 4096 validators. Adds to
// `warnings` (may be null): unknown fields, and keys that several indices share (a leaf can sign for only one of them).
// Does not decode the keys; see CheckPublicKeys.
absl::StatusOr<GenesisConfig> ReadGenesisConfig(const std::string& genesis_dir,
                                                std::vector<std::string>* warnings = nullptr);
// AlreadyExists: config.yaml exists.
absl::Status WriteGenesisConfig(const GenesisConfig& config, const std::string& genesis_dir);

// Reads DIR/annotated_validators.yaml, whose items are maps with `index` (and the key of the validator, which
// the key manifest and config.yaml contain as well); if it does not exist, DIR/validators.yaml, whose items are
// indices. Errors: an index that two nodes have, or an index that is not below validator_count.
absl::StatusOr<ValidatorAssignment> ReadValidatorAssignment(const std::string& genesis_dir, uint64_t validator_count);
// AlreadyExists: validators.yaml exists. InvalidArgument: IsPlainName refuses a name.
absl::Status WriteValidatorAssignment(const ValidatorAssignment& assignment, const std::string& genesis_dir);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_FOLDER_H_
