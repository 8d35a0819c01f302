// The network that the operator names, if any.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/beacons/network_identity.h"

namespace lean::validator {

// What the command line says of the network.
struct NetworkOptions {
  std::string genesis_root = {};         // hex of the genesis block's root; empty: not given
  std::string genesis_dir = {};          // genesis folder; empty: not given
  std::optional<uint64_t> slot_ms = {};  // slot duration, milliseconds
};

// What the operator says of the network, before any key is known. Errors name the option, or file and line: hex that is
// no root; a genesis folder that cannot be read, whose root is not the given one, or whose network.yaml has another
// slot duration than the given one; a slot duration that no network may have. What is odd but no error is added to
// `warnings`.
absl::StatusOr<ExpectedNetwork> MakeExpectedNetwork(const NetworkOptions& options, std::vector<std::string>& warnings);

// These keys are to work for it. InvalidArgument, with file and line: the genesis folder's network has keys of another
// lifetime, or its registry does not have one of `keys` at its index.
absl::Status ExpectKeys(const NetworkOptions& options, const std::vector<RegisteredKey>& keys, uint32_t log_lifetime,
                        ExpectedNetwork& expected);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
