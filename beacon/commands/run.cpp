#include "beacon/commands/run.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "absl/status/statusor.h"
#include "common/process/until_stopped.h"

namespace lean::beacon {
namespace {

void WaitFor(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
}

}  // namespace

absl::Status Run(const BeaconOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  return RunStoppable(
      signals,
      [&](const std::stop_token& stop) -> absl::Status {
        absl::StatusOr<std::unique_ptr<Beacon>> beacon = Beacon::Start(options, stop, log);
        if (!beacon.ok()) return beacon.status();
        WaitFor(stop);
        beacon->reset();
        log->info("beacon_stopped name={}", options.name);
        return absl::OkStatus();
      },
      [&](const char* signal) { log->info("beacon_stopping signal={}", signal); });
}

}  // namespace lean::beacon
