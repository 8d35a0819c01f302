// The subcommands of `lean-beacon`.
#ifndef LEAN_BEACON_COMMANDS_COMMANDS_H_
#define LEAN_BEACON_COMMANDS_COMMANDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "beacon/commands/beacon.h"
#include "beacon/storage/prune.h"
#include "common/config/network_spec.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"

namespace lean::beacon {

// `lean-beacon run`: runs a beacon until the process is asked to stop. Returns OK when it was asked to stop, even
// before the beacon had started; otherwise the error that kept the beacon from starting.
absl::Status Run(const BeaconOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

// `lean-beacon db`: the next five work on a data folder that no beacon uses at the moment, and write to standard
// output. FailedPrecondition: a beacon uses the folder. NotFound: the folder holds no chain. CANCELLED: `stop` was
// requested first; the folder is unchanged or as valid as before, and no partial file is left.

// Prints what the folder holds, its size, and the state of the chain. Changes nothing.
absl::Status InspectFolder(const std::string& data_dir, std::stop_token stop);
// Checks everything in the folder for consistency. Changes nothing. DataLoss: the folder is damaged; standard output
// says how, and what to do.
absl::Status VerifyFolder(const std::string& data_dir, std::stop_token stop, spdlog::logger& log);
// Deletes what `request` allows and returns the space to the file system.
absl::Status PruneFolder(const std::string& data_dir, const PruneRequest& request, std::stop_token stop);
// Writes the finalized block and its state to a file for `run --checkpoint`.
absl::Status ExportCheckpoint(const std::string& data_dir, const std::string& output, std::stop_token stop);
// Writes the finalized blocks of `slots` (ParseSlotRange) to a file (WriteBlockFile).
absl::Status ExportBlocks(const std::string& data_dir, const std::string& slots, const std::string& output,
                          std::stop_token stop);

// `lean-beacon genesis`.
struct GenesisOptions {
  std::string output_dir;
  std::optional<uint64_t> genesis_time;  // Unix seconds; this or the delay
  std::optional<uint64_t> delay_s;       // from now on
  // [NODE=]FILE: validators' keys, and the node that runs them (default: node-0, node-1, ...).
  std::vector<std::string> pubkeys_from;
  uint64_t active_epoch = 18;  // for ACTIVE_EPOCH
  NetworkSpec network;
};

// Creates the genesis folder of a new network and prints what it holds. Errors name file, line and field.
absl::Status MakeGenesisFolder(const GenesisOptions& options);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_COMMANDS_H_
