#include "validator_client/commands/expected_network.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// The content of network.yaml. For a folder without one, the operator gives the slot duration.
absl::StatusOr<NetworkSpec> ReadSpec(const NetworkOptions& options, ExpectedNetwork& expected,
                                     std::vector<std::string>& warnings) {
  const std::string file = NetworkSpecPath(options.genesis_dir);
  std::vector<std::string> missing;
  ASSIGN_OR_RETURN(NetworkSpec spec, ReadNetworkSpec(options.genesis_dir, &missing));
  if (!missing.empty()) {
    if (options.slot_ms.has_value()) {
      missing = {absl::StrCat(file, " is missing, so slots have the ", *options.slot_ms,
                              " ms of --slot-ms and keys have a lifetime of 2^", spec.xmss_log_lifetime)};
    }
    warnings.insert(warnings.end(), missing.begin(), missing.end());
    return spec;
  }
  if (options.slot_ms.has_value() && *options.slot_ms != spec.slot_duration_ms) {
    return absl::InvalidArgumentError(absl::StrCat("--slot-ms ", *options.slot_ms, ": ", file, " has slots of ",
                                                   spec.slot_duration_ms, " ms: leave the option out"));
  }
  expected.slot_duration_ms = spec.slot_duration_ms;
  expected.slot_duration_origin = file;
  return spec;
}

absl::Status ReadGenesisFolder(const NetworkOptions& options, ExpectedNetwork& expected,
                               std::vector<std::string>& warnings) {
  ASSIGN_OR_RETURN(const GenesisConfig config, ReadGenesisConfig(options.genesis_dir, &warnings));
  ASSIGN_OR_RETURN(const NetworkSpec spec, ReadSpec(options, expected, warnings));
  expected.xmss_log_lifetime = spec.xmss_log_lifetime;
  ASSIGN_OR_RETURN(NetworkIdentity network, NetworkOfGenesis(config, expected.slot_duration_ms));
  if (expected.genesis_block_root.has_value() && *expected.genesis_block_root != network.genesis_block_root) {
    return absl::InvalidArgumentError(absl::StrCat("--genesis-root is not the root of ", options.genesis_dir,
                                                   ", which is ", ToHex(network.genesis_block_root.span())));
  }
  expected.genesis_block_root = network.genesis_block_root;
  expected.network = std::move(network);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExpectedNetwork> MakeExpectedNetwork(const NetworkOptions& options, std::vector<std::string>& warnings) {
  ExpectedNetwork expected;
  expected.signature_form = std::string(SignatureFormName(SignatureForm::kFlat));
  if (options.slot_ms.has_value()) {
    RETURN_IF_ERROR(CheckNetworkSpec({.slot_duration_ms = *options.slot_ms}),
                    absl::InvalidArgumentError(absl::StrCat("--slot-ms: ", _.message())));
    expected.slot_duration_ms = *options.slot_ms;
    expected.slot_duration_origin = "--slot-ms";
  }
  if (!options.genesis_root.empty()) {
    ASSIGN_OR_RETURN(const Root root, ParseFixedHex<Root>(options.genesis_root),
                     absl::InvalidArgumentError(absl::StrCat("--genesis-root: ", _.message())));
    expected.genesis_block_root = root;
  }
  if (options.genesis_dir.empty()) return expected;
  RETURN_IF_ERROR(ReadGenesisFolder(options, expected, warnings));
  return expected;
}

absl::Status ExpectKeys(const NetworkOptions& options, const std::vector<RegisteredKey>& keys, uint32_t log_lifetime,
                        ExpectedNetwork& expected) {
  if (expected.network.has_value()) {
    if (expected.xmss_log_lifetime != log_lifetime) {
      return absl::InvalidArgumentError(absl::StrCat("the network of ", options.genesis_dir, " has keys of lifetime 2^",
                                                     expected.xmss_log_lifetime, ", the keystores have 2^",
                                                     log_lifetime));
    }
    for (const RegisteredKey& key : keys) {
      RETURN_IF_ERROR(CheckInRegistry(*expected.network->registry, options.genesis_dir, key));
    }
  }
  expected.xmss_log_lifetime = log_lifetime;
  return absl::OkStatus();
}

}  // namespace lean::validator
