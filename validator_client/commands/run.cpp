#include "validator_client/commands/run.h"

#include <stop_token>

#include "absl/status/statusor.h"
#include "common/process/until_stopped.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  bool stopped = false;
  const auto told = [&](const char* signal) {
    stopped = true;
    log->info("stopping signal={}", signal);
  };
  absl::StatusOr<std::unique_ptr<ValidatorClient>> client;
  const absl::Status started = RunOrExit(
      signals, /*exit_code=*/0,
      [&](const std::stop_token& stop) {
        client = ValidatorClient::Start(options, stop, log);
        return client.status();
      },
      told);
  if (stopped) return absl::OkStatus();
  RETURN_IF_ERROR(started);
  return RunUntilStopped(
      signals, [&client] { return (*client)->Run(); },
      [&](const char* signal) {
        told(signal);
        (*client)->Stop();
      });
}

}  // namespace lean::validator
