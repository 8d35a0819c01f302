#include "beacon/commands/genesis.h"

#include <iostream>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/config/genesis.h"
#include "common/config/genesis_creation.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

ValidatorKeysFile KeysFile(const std::string& text, size_t place) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return {.node = absl::StrCat("node-", place), .path = text};
  return {.node = text.substr(0, equals), .path = text.substr(equals + 1)};
}

}  // namespace

absl::Status MakeGenesisFolder(const GenesisOptions& options) {
  if (options.genesis_time.has_value() == options.delay_s.has_value()) {
    return absl::InvalidArgumentError("give one of --genesis-time and --genesis-delay");
  }
  // Before it is added to the time, beyond which it would wrap.
  if (options.delay_s.value_or(0) > kMaxGenesisTime) {
    return absl::InvalidArgumentError("--genesis-delay: the genesis is beyond the year 9999");
  }
  const int64_t now_ms = RealClock().WallMs();
  GenesisRequest request;
  request.output_dir = options.output_dir;
  // A delay counts from the next full second, so that it is never shorter than asked.
  request.genesis_time = options.genesis_time.has_value() ? *options.genesis_time
                                                          : static_cast<uint64_t>(now_ms / 1000 + 1) + *options.delay_s;
  request.active_epoch = options.active_epoch;
  request.network = options.network;
  for (const std::string& text : options.pubkeys_from) {
    request.key_files.push_back(KeysFile(text, request.key_files.size()));
    if (request.key_files.back().path.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--pubkeys-from ", text, ": the file is missing: [NODE=]FILE"));
    }
  }
  ASSIGN_OR_RETURN(const GenesisConfig config, CreateGenesisFolder(request, now_ms));
  ASSIGN_OR_RETURN(const Genesis genesis, MakeGenesis(config));
  std::cout << "genesis folder  " << options.output_dir << "\nnetwork         " << options.network.name
            << "\nvalidators      " << config.validators.size() << "\ngenesis time    " << config.genesis_time
            << " (Unix seconds)\ngenesis root    " << ToHex(genesis.block_root.span()) << std::endl;
  return absl::OkStatus();
}

}  // namespace lean::beacon
