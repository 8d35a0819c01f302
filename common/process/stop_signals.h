// SIGINT, SIGTERM and SIGHUP as a request to stop, taken by the main thread instead of by a handler.
#ifndef LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
#define LEAN_COMMON_PROCESS_STOP_SIGNALS_H_

#include <chrono>
#include <csignal>

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

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STOP_SIGNALS_H_
