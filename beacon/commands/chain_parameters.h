// What a genesis folder says of a network, checked as a whole.
#ifndef LEAN_BEACON_COMMANDS_CHAIN_PARAMETERS_H_
#define LEAN_BEACON_COMMANDS_CHAIN_PARAMETERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct ChainParameters {
  NetworkSpec spec;
  crypto::SignatureScheme scheme;
  Genesis genesis;
};

// Warns in the log of what is odd. Errors name the file.
absl::StatusOr<ChainParameters> ReadChainParameters(const std::string& genesis_dir, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_CHAIN_PARAMETERS_H_
