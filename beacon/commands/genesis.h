// `lean-beacon genesis`: makes the genesis folder of a new network.
#ifndef LEAN_BEACON_COMMANDS_GENESIS_H_
#define LEAN_BEACON_COMMANDS_GENESIS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/config/network_spec.h"

namespace lean::beacon {

struct GenesisOptions {
  std::string output_dir;
  std::optional<uint64_t> genesis_time;  // Unix seconds; this or the delay
  std::optional<uint64_t> delay_s;       // from now on
  std::vector<std::string>
      pubkeys_from;            // [NODE=]FILE: validators' keys, and who runs them (default: node-0, node-1, ...)
  uint64_t active_epoch = 18;  // for ACTIVE_EPOCH
  NetworkSpec network;
};

// Writes the folder and tells on standard output what it holds. Errors name file, line and field.
absl::Status MakeGenesisFolder(const GenesisOptions& options);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_GENESIS_H_
