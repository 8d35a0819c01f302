// SIGINT, SIGTERM and SIGHUP as requests to stop, and work that ends by itself or after such a request. The main thread
// waits for the signals; there is no signal handler.
#ifndef LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
#define LEAN_COMMON_PROCESS_STOP_SIGNALS_H_

#include <chrono>
#include <csignal>
#include <functional>
#include <stop_token>

#include "absl/status/status.h"

namespace lean {

// Create it first in main, because threads inherit the blocked signals. If SIGHUP is ignored at the start (nohup), it
// stays ignored. Ignores SIGPIPE and SIGXFSZ, so that a missing reader or a file at its size limit is an error of the
// write and does not end the process. One per process.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Whether a signal to stop is pending. For work on the thread that waits for signals.
  static bool Pending();

  // Blocks until a signal to stop arrives, and returns its name. After that, a second signal ends the process at once.
  const char* Wait();

  // For a command that needs no orderly stop: from now on a signal ends the process at once.
  void LetEnd() const;

  // Like Wait, but returns nullptr after `timeout`. For a process that also ends by itself.
  const char* WaitFor(std::chrono::milliseconds timeout);

 private:
  const char* Taken(int signal) const;

  sigset_t signals_;
};

// Runs `work` on a separate thread and returns its result. If a signal arrives first, calls `stop` with its name on
// this thread; `work` must then end soon.
absl::Status RunUntilStopped(StopSignals& signals, const std::function<absl::Status()>& work,
                             const std::function<void(const char* signal)>& stop);

// The same for work that watches a stop token. The first signal calls `told` with its name and then requests the stop.
// An error that `work` returns after that becomes CANCELLED and names the signal: "stopped by SIGTERM: ...". `work` may
// still succeed, so code that follows must check whether `told` was called.
absl::Status RunStoppable(StopSignals& signals, const std::function<absl::Status(std::stop_token stop)>& work,
                          const std::function<void(const char* signal)>& told);

// The same for work that may notice the stop token late and may be interrupted anywhere, because it only reads or what
// it writes is always complete. If `work` has not ended soon after the signal, the process exits with `exit_code`
// without running destructors.
absl::Status RunOrExit(StopSignals& signals, int exit_code,
                       const std::function<absl::Status(std::stop_token stop)>& work,
                       const std::function<void(const char* signal)>& told);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
