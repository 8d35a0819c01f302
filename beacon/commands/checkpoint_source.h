// Loads the block and state of `run --checkpoint`.
#ifndef LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_
#define LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_

#include <chrono>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/storage/chain_files.h"
#include "common/bytes/bytes.h"
#include "common/log/logger.h"
#include "common/rpc/tls_files.h"

namespace lean::beacon {

// Reads the file `source` if there is one. Otherwise `source` is the address of a beacon (HOST:PORT or unix:PATH), from
// which the finalized block `root` is fetched with `tls`, or http://HOST:PORT of any lean client, which only gives its
// latest finalized block: it is asked until that is `root`, for kHttpWait at most. The parts are not checked
// (CheckAnchor does that). Errors name the source. CANCELLED: `stop` was requested first.
inline constexpr std::chrono::seconds kHttpWait{60};
absl::StatusOr<CheckpointParts> LoadCheckpoint(const std::string& source, const rpc::ClientTlsFiles& tls,
                                               const Root& root, const std::stop_token& stop, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_CHECKPOINT_SOURCE_H_
