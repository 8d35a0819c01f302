#include "beacon/commands/chain_parameters.h"

#include <utility>
#include <vector>

#include "common/config/genesis_folder.h"
#include "common/config/public_keys.h"
#include "common/status/status_macros.h"

namespace lean::beacon {

absl::StatusOr<ChainParameters> ReadChainParameters(const std::string& genesis_dir, spdlog::logger& log) {
  std::vector<std::string> warnings;
  absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(genesis_dir, &warnings);
  absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(genesis_dir, &warnings);
  for (const std::string& warning : warnings) log.warn("genesis_odd message=\"{}\"", warning);
  RETURN_IF_ERROR(config.status());
  RETURN_IF_ERROR(spec.status());
  ASSIGN_OR_RETURN(crypto::SignatureScheme scheme, crypto::SignatureScheme::Create(*spec));
  RETURN_IF_ERROR(CheckPublicKeys(*config, scheme));
  ASSIGN_OR_RETURN(Genesis genesis, MakeGenesis(*config));
  return ChainParameters{*std::move(spec), std::move(scheme), std::move(genesis)};
}

}  // namespace lean::beacon
