// `lean-validator run`: a validator client, until it is told to stop.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_

#include <memory>

#include "absl/status/status.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {

// Returns OK once it was asked to stop and everything has ended, or what kept it from working. A signal that comes
// before it has started stops it as well.
absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_RUN_H_
