#include "common/process/until_stopped.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace lean {
namespace {

// Of RunOrExit, after the signal.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

}  // namespace

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

absl::Status RunOrExit(StopSignals& signals, int exit_code,
                       const std::function<absl::Status(std::stop_token stop)>& work,
                       const std::function<void(const char* signal)>& told) {
  const auto done = std::make_shared<absl::Notification>();
  return RunStoppable(
      signals,
      [&](std::stop_token stop) {
        absl::Status status = work(std::move(stop));
        done->Notify();
        return status;
      },
      [&](const char* signal) {
        told(signal);
        // Waits on a thread of its own: this one has yet to request the stop.
        std::thread([done, exit_code] {
          if (!done->WaitForNotificationWithTimeout(kPatience)) _exit(exit_code);
        }).detach();
      });
}

}  // namespace lean
