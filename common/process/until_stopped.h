// Work that ends by itself or on a signal to stop.
#ifndef LEAN_COMMON_PROCESS_UNTIL_STOPPED_H_
#define LEAN_COMMON_PROCESS_UNTIL_STOPPED_H_

#include <functional>
#include <stop_token>

#include "absl/status/status.h"
#include "common/process/stop_signals.h"

namespace lean {

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
// whole at any moment. If
// `work` has not ended soon after the signal, the process exits with `exit_code` at once, without running destructors.
absl::Status RunOrExit(StopSignals& signals, int exit_code,
                       const std::function<absl::Status(std::stop_token stop)>& work,
                       const std::function<void(const char* signal)>& told);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_UNTIL_STOPPED_H_
