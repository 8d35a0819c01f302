// The network that the operator names, if any.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/beacon_session.h"

namespace lean::validator {

// From --genesis-root and --genesis, each of which may be empty. Errors name the option, or file and line: hex that is
// no root; a genesis folder that cannot be read, whose root is not the given one, whose network has keys of another
// lifetime, or whose registry does not have one of `keys` at its index.
absl::StatusOr<ExpectedNetwork> MakeExpectedNetwork(const std::string& genesis_root, const std::string& genesis_dir,
                                                    const std::vector<RegisteredKey>& keys, uint32_t log_lifetime);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_EXPECTED_NETWORK_H_
