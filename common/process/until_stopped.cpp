#include "common/process/until_stopped.h"

#include <atomic>
#include <chrono>
#include <thread>

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

}  // namespace lean
