// Where `run --checkpoint` has its block and state from.
#ifndef LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_
#define LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_

#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/storage/checkpoint_file.h"
#include "common/bytes/bytes.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Reads the file `source`, or asks the beacon at that address (HOST:PORT or unix:PATH) for the finalized block `root`;
// what has a file's path is a file. The parts are not checked (CheckAnchor does). Errors name the source; CANCELLED
// when `stop` was requested before it was there.
absl::StatusOr<CheckpointParts> LoadCheckpoint(const std::string& source, const Root& root, const std::stop_token& stop,
                                               spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_
