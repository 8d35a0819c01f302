// Makes the genesis folder of a new network from its validators' public keys.
#ifndef LEAN_COMMON_CONFIG_GENESIS_CREATION_H_
#define LEAN_COMMON_CONFIG_GENESIS_CREATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"

namespace lean {

// A list of `- index: N`, `pubkey: HEX`: a client's own keystore list, whose `keystore` is not used here, is one. Other
// fields are refused.
struct ValidatorKeysFile {
  std::string node;  // who runs these validators, for validators.yaml: letters, digits, '-', '_', '.'
  std::string path;
};

struct GenesisRequest {
  std::string output_dir;     // to be made; its parent exists
  uint64_t genesis_time = 0;  // Unix seconds, later than now
  uint64_t active_epoch = 0;  // for ACTIVE_EPOCH
  NetworkSpec network;
  std::vector<ValidatorKeysFile> key_files;  // together they name every index from 0 up, once
};

// Writes config.yaml, validators.yaml and network.yaml and returns the config; on any error there is no folder.
// AlreadyExists: output_dir exists; it is left as it is. InvalidArgument: a genesis time that has passed, an index
// missing or named twice, a key used twice (one leaf would have to sign two votes) or not one of the network's scheme.
absl::StatusOr<GenesisConfig> CreateGenesisFolder(const GenesisRequest& request, int64_t now_ms);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_CREATION_H_
