#include "common/process/until_stopped.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"

namespace lean {

absl::Status RunUntilStopped(StopSignals& signals, const std::function<absl::Status()>& work,
                             const std::function<void(const char* signal)>& stop) {
  absl::Status result;
  std::atomic<bool> done{false};
  std::thread worker([&] {
    result = work();
    done = true;
  });
  while (!done) {
    if (const char* signal = signals.WaitFor(std::chrono::milliseconds(50)); signal != nullptr) {
      stop(signal);
      break;
    }
  }
  worker.join();
  return result;
}

absl::Status RunStoppable(StopSignals& signals, const std::function<absl::Status(std::stop_token stop)>& work,
                          const std::function<void(const char* signal)>& told) {
  std::stop_source source;
  const char* stopped_by = nullptr;
  absl::Status result = RunUntilStopped(
      signals, [&] { return work(source.get_token()); },
      [&](const char* signal) {
        stopped_by = signal;
        told(signal);
        source.request_stop();
      });
  if (result.ok() || stopped_by == nullptr) return result;
  return absl::CancelledError(absl::StrCat("stopped by ", stopped_by, ": ", result.message()));
}

}  // namespace lean
