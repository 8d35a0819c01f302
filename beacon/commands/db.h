// `lean-beacon db`: looks into a data folder that no beacon uses at the moment.
#ifndef LEAN_BEACON_COMMANDS_DB_H_
#define LEAN_BEACON_COMMANDS_DB_H_

#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "beacon/storage/prune.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Each writes what it found to standard output. FailedPrecondition: a beacon has the folder. NotFound: it has no chain.
// CANCELLED: `stop` was requested before it was done; the folder is as good as before, and no file is left.

// What is in it, how much, and how far it is. Changes nothing.
absl::Status InspectFolder(const std::string& data_dir, std::stop_token stop);
// Everything in it against everything else. Changes nothing. DataLoss: something is wrong; what, and what to do about
// it, is on standard output.
absl::Status VerifyFolder(const std::string& data_dir, std::stop_token stop, spdlog::logger& log);
// Gives space back.
absl::Status PruneFolder(const std::string& data_dir, const PruneRequest& request, std::stop_token stop);
// The finalized block and its state, as a file for `run --checkpoint`.
absl::Status ExportCheckpoint(const std::string& data_dir, const std::string& output, std::stop_token stop);
// Finalized blocks of `slots` (ParseSlotRange), as WriteBlockFile has them.
absl::Status ExportBlocks(const std::string& data_dir, const std::string& slots, const std::string& output,
                          std::stop_token stop);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_DB_H_
