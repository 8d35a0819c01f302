// SIGINT, SIGTERM and SIGHUP as a request to stop, taken by the main thread instead of by a handler, and work that
// ends by itself or on such a request.
#ifndef LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
#define LEAN_COMMON_PROCESS_STOP_SIGNALS_H_

#include <chrono>
#include <csignal>
#include <functional>
#include <stop_token>

#include "absl/status/status.h"

namespace lean {

// Made first in main: threads inherit what is blocked. Where SIGHUP is ignored from the start (nohup), it stays so.
// Ignores SIGPIPE and SIGXFSZ for the process: a reader that is gone and a file that may not grow are errors of the
// write, not the end. One to a process.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Whether a signal to stop has come that no call has taken yet. For work on the thread that would take it.
  static bool Pending();

  // Blocks until the process is asked to stop; the signal's name. From then on a second signal ends it at once.
  const char* Wait();

  // For a command that has nothing to stop in order: from now on a signal ends the process at once, as it does without
  // this class.
  void LetEnd() const;

  // The same as Wait, but no longer than `timeout`: nullptr when that has passed. For a process that also ends by
  // itself.
  const char* WaitFor(std::chrono::milliseconds timeout);

 private:
  const char* Taken(int signal) const;

  sigset_t signals_;
};

// Runs `work` on a thread of its own and returns its result. If a signal comes first, calls `stop` with its name, on
// this thread, whereupon `work` must end soon.
absl::Status RunUntilStopped(StopSignals& signals, const std::function<absl::Status()>& work,
                             const std::function<void(const char* signal)>& stop);

// The same for work that watches a stop token: the first signal requests the stop, after `told` was called with its
// name. An error that `work` returns after that is CANCELLED and names the signal: "stopped by SIGTERM: ...". It may
// end well all the same: what comes after it must ask whether `told` was called, since the signal is used up.
absl::Status RunStoppable(StopSignals& signals, const std::function<absl::Status(std::stop_token stop)>& work,
                          const std::function<void(const char* signal)>& told);

// The same for work that can take long to notice the stop token and may end anywhere: it reads, or what it writes is
// whole at any moment. If `work` has not ended soon after the signal, the process exits with `exit_code` at once,
// without running destructors.
absl::Status RunOrExit(StopSignals& signals, int exit_code,
                       const std::function<absl::Status(std::stop_token stop)>& work,
                       const std::function<void(const char* signal)>& told);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
