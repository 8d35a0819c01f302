#include "common/process/stop_signals.h"

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

// The time that RunOrExit waits after the signal.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

}  // namespace

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool StopSignals::Pending() {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (sigismember(&pending, signal) == 1) return true;
  }
  return false;
}

const char* StopSignals::Wait() {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  return Taken(signal);
}

const char* StopSignals::WaitFor(std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::nanoseconds rest = timeout - seconds;
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
  const int signal = sigtimedwait(&signals_, nullptr, &limit);
  return signal > 0 ? Taken(signal) : nullptr;
}

const char* StopSignals::Taken(int signal) const {
  LetEnd();
  switch (signal) {
    case SIGINT:
      return "SIGINT";
    case SIGHUP:
      return "SIGHUP";
    default:
      return "SIGTERM";
  }
}

void StopSignals::LetEnd() const { pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr); }

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
        // Waits on a separate thread, because this one must request the stop.
        std::thread([done, exit_code] {
          if (!done->WaitForNotificationWithTimeout(kPatience)) _exit(exit_code);
        }).detach();
      });
}

}  // namespace lean
