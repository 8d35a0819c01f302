// Creates the genesis folder of a new network from the public keys of its validators.
#ifndef LEAN_COMMON_CONFIG_GENESIS_CREATION_H_
#define LEAN_COMMON_CONFIG_GENESIS_CREATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"

namespace lean {

// A list of `- index: N`, `pubkey: HEX`. The keystores list of a client has this form; its field `keystore` is ignored.
// Other fields are refused.
struct ValidatorKeysFile {
  std::string node;  // node that runs these validators, for validators.yaml: letters, digits, '-', '_', '.'
  std::string path;
};

struct GenesisRequest {
  std::string output_dir;     // must not exist, its parent must
  uint64_t genesis_time = 0;  // Unix seconds, later than now
  uint64_t active_epoch = 0;  // for ACTIVE_EPOCH
  NetworkSpec network;
  std::vector<ValidatorKeysFile> key_files;  // together they contain every index from 0 on exactly once
};

// Writes config.yaml, validators.yaml and network.yaml and returns the config. After an error there is no folder.
// AlreadyExists: output_dir exists; it is not changed. InvalidArgument: the genesis time has passed; an index is
// missing or appears twice; a key appears twice (one leaf would have to sign two votes) or does not fit the network's
// scheme.
absl::StatusOr<GenesisConfig> CreateGenesisFolder(const GenesisRequest& request, int64_t now_ms);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_GENESIS_CREATION_H_
