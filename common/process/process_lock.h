// One process at a time: a lock file that names its holder.
#ifndef LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
#define LEAN_COMMON_PROCESS_PROCESS_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean {

// Holds flock(2) on a file with the holder's process id in it. The kernel drops the lock with the process, however it
// ends, so what a killed process left behind locks nobody out; the file itself stays. Movable.
class ProcessLock {
 public:
  // Locks `file`, made with mode 0600 if it is not there; if it is, on a disk that takes nothing, too. For messages:
  // `what` is what it stands for, `why` what would be wrong with two processes.
  // kFailedPrecondition: another process has it; the message names `what`, that process's id and `why`.
  // kPermissionDenied, kNotFound, ..: the file cannot be made or opened.
  static absl::StatusOr<ProcessLock> Acquire(const std::string& file, absl::string_view what, absl::string_view why);

  // Tells whoever is refused from now on what to do instead: one line, such as where to ask.
  absl::Status Announce(absl::string_view instead);

  ProcessLock(ProcessLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ProcessLock& operator=(ProcessLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~ProcessLock();

 private:
  explicit ProcessLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
