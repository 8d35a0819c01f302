// `lean-validator run`: a validator client, until it is told to stop.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_

#include <memory>

#include "absl/status/status.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {

// Runs a validator client until a signal to stop. Returns OK after a signal, when everything has ended; a signal during
// the start stops it, too. Otherwise returns the error that ended it.
absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_
