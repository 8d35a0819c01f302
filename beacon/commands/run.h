// `lean-beacon run`: a beacon from a genesis folder, until it is told to stop.
#ifndef LEAN_BEACON_COMMANDS_RUN_H_
#define LEAN_BEACON_COMMANDS_RUN_H_

#include <memory>

#include "absl/status/status.h"
#include "beacon/commands/beacon.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"

namespace lean::beacon {

// Returns OK once the process was asked to stop and everything has ended, also when that was before it had started, or
// what kept it from starting.
absl::Status Run(const BeaconOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_RUN_H_
