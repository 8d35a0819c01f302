#include "validator_client/commands/expected_network.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"

namespace lean::validator {
namespace {

absl::Status CheckRegistry(const GenesisConfig& config, const std::string& genesis_dir,
                           const std::vector<RegisteredKey>& keys) {
  for (const RegisteredKey& key : keys) {
    if (key.index >= config.validators.size()) {
      return absl::InvalidArgumentError(absl::StrCat(key.origin, ": index ", key.index, " is not in the registry of ",
                                                     genesis_dir, ", which has ", config.validators.size(),
                                                     " validators"));
    }
    if (const PublicKeyBytes& registered = config.validators[key.index]; registered != key.pubkey) {
      return absl::InvalidArgumentError(absl::StrCat(key.origin, ": the registry of ", genesis_dir, " has the key ",
                                                     ShortHex(registered.span()), " at index ", key.index, ", not ",
                                                     ShortHex(key.pubkey.span())));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExpectedNetwork> MakeExpectedNetwork(const std::string& genesis_root, const std::string& genesis_dir,
                                                    const std::vector<RegisteredKey>& keys, uint32_t log_lifetime) {
  ExpectedNetwork expected;
  expected.xmss_log_lifetime = log_lifetime;
  expected.signature_form = std::string(SignatureFormName(SignatureForm::kFlat));
  if (!genesis_root.empty()) {
    const absl::StatusOr<Root> root = ParseFixedHex<Root>(genesis_root);
    if (!root.ok()) return absl::InvalidArgumentError(absl::StrCat("--genesis-root: ", root.status().message()));
    expected.genesis_block_root = *root;
  }
  if (genesis_dir.empty()) return expected;

  const absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(genesis_dir);
  if (!config.ok()) return config.status();
  const absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(genesis_dir);
  if (!spec.ok()) return spec.status();
  if (spec->xmss_log_lifetime != log_lifetime) {
    return absl::InvalidArgumentError(absl::StrCat("the network of ", genesis_dir, " has keys of lifetime 2^",
                                                   spec->xmss_log_lifetime, ", the keystores have 2^", log_lifetime));
  }
  if (absl::Status status = CheckRegistry(*config, genesis_dir, keys); !status.ok()) return status;
  const absl::StatusOr<Genesis> genesis = MakeGenesis(*config);
  if (!genesis.ok()) return genesis.status();
  const Root root = genesis->block_root;
  if (expected.genesis_block_root.has_value() && *expected.genesis_block_root != root) {
    return absl::InvalidArgumentError(
        absl::StrCat("--genesis-root is not the root of ", genesis_dir, ", which is ", ToHex(root.span())));
  }
  expected.genesis_block_root = root;
  expected.network = Network{root, config->genesis_time, spec->slot_duration_ms, config->validators.size()};
  return expected;
}

}  // namespace lean::validator
