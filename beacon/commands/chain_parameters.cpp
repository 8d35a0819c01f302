#include "beacon/commands/chain_parameters.h"

#include <utility>
#include <vector>

#include "common/config/genesis_folder.h"
#include "common/config/public_keys.h"

namespace lean::beacon {

absl::StatusOr<ChainParameters> ReadChainParameters(const std::string& genesis_dir, spdlog::logger& log) {
  std::vector<std::string> warnings;
  absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(genesis_dir, &warnings);
  absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(genesis_dir, &warnings);
  for (const std::string& warning : warnings) log.warn("genesis_odd message=\"{}\"", warning);
  if (!config.ok()) return config.status();
  if (!spec.ok()) return spec.status();
  absl::StatusOr<crypto::SignatureScheme> scheme = crypto::SignatureScheme::Create(*spec);
  if (!scheme.ok()) return scheme.status();
  if (absl::Status status = CheckPublicKeys(*config, *scheme); !status.ok()) return status;
  absl::StatusOr<Genesis> genesis = MakeGenesis(*config);
  if (!genesis.ok()) return genesis.status();
  return ChainParameters{*std::move(spec), *std::move(scheme), *std::move(genesis)};
}

}  // namespace lean::beacon
