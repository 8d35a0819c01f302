// The genesis folder in the format of lean-quickstart at devnet-1: config.yaml and validators.yaml.
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

// validators.yaml: node name to the indices it runs.
using ValidatorAssignment = std::map<std::string, std::vector<uint64_t>>;

// Reads DIR/config.yaml. Errors name file, line and field: a missing field (ACTIVE_EPOCH alone is optional), a key of
// another length, VALIDATOR_COUNT that differs from the list's length, more than 4096 validators.
// What is odd but no error is added to `warnings` (may be null): unknown fields, a key that several indices share (a
// leaf of it signs for one of them alone). Keys are not decoded here: CheckPublicKeys does.
absl::StatusOr<GenesisConfig> ReadGenesisConfig(const std::string& genesis_dir,
                                                std::vector<std::string>* warnings = nullptr);
// AlreadyExists: config.yaml is there.
absl::Status WriteGenesisConfig(const GenesisConfig& config, const std::string& genesis_dir);

// Refuses an index that is claimed twice or that is not below validator_count.
absl::StatusOr<ValidatorAssignment> ReadValidatorAssignment(const std::string& genesis_dir, uint64_t validator_count);
// AlreadyExists: validators.yaml is there. InvalidArgument: a name that IsPlainName refuses.
absl::Status WriteValidatorAssignment(const ValidatorAssignment& assignment, const std::string& genesis_dir);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_FOLDER_H_
