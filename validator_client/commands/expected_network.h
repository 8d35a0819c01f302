// The network that the options of a command name.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/beacons/network_identity.h"

namespace lean::validator {

// The options that name the network.
struct NetworkOptions {
  std::string genesis_root = {};         // hex of the genesis block's root; empty: not given
  std::string genesis_dir = {};          // genesis folder; empty: not given
  std::optional<uint64_t> slot_ms = {};  // slot duration, milliseconds
};

// Evaluates the options, before any key is known. Errors name the option, or file and line: malformed hex of a root; a
// genesis folder that cannot be read, has another root than the given one, or has another slot duration in its
// network.yaml; an invalid slot duration. Adds minor problems to `warnings`.
absl::StatusOr<ExpectedNetwork> MakeExpectedNetwork(const NetworkOptions& options, std::vector<std::string>& warnings);

// Sets the keys that work for the network. InvalidArgument, with file and line: the network of the genesis folder has
// keys of another lifetime, or its registry lacks one of `keys` at its index.
absl::Status ExpectKeys(const NetworkOptions& options, const std::vector<RegisteredKey>& keys, uint32_t log_lifetime,
                        ExpectedNetwork& expected);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
