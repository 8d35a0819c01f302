#include "beacon/commands/run.h"

#include <stop_token>

#include "absl/status/statusor.h"
#include "common/clock/real_clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/log_text.h"
#include "common/process/until_stopped.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

void WaitFor(const std::stop_token& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.Wait(mutex, stop, [] { return false; });
}

}  // namespace

absl::Status Run(const BeaconOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  bool stopped = false;
  const absl::Status status = RunStoppable(
      signals,
      [&](const std::stop_token& stop) -> absl::Status {
        RealClock clock;
        ASSIGN_OR_RETURN(std::unique_ptr<Beacon> beacon, Beacon::Start(options, clock, stop, log));
        WaitFor(stop);
        beacon.reset();
        return absl::OkStatus();
      },
      [&](const char* signal) {
        stopped = true;
        log->info("beacon_stopping signal={}", signal);
      });
  if (!stopped) return status;
  if (status.ok()) {
    log->info("beacon_stopped name={}", options.name);
  } else {
    log->info("beacon_stopped name={} before_its_start=\"{}\"", options.name, StatusText(status));
  }
  return absl::OkStatus();
}

}  // namespace lean::beacon
