// Locks that the kernel drops when their process ends: a lock file that names its holder, a file as it is, and a name
// of this machine.
#ifndef LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
#define LEAN_COMMON_PROCESS_PROCESS_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"

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

// The locks below hold as long as the descriptor that is returned is open. Errors of both: FailedPrecondition when
// another process (or this one, by another descriptor) has it; otherwise the system's error.

// Locks the file that `path` leads to: all its links lock together. Reads and writes nothing; reading it must be
// allowed.
absl::StatusOr<Descriptor> LockFile(const std::string& path);

// Locks a name, at most 107 bytes, for all processes of this network namespace, of whatever user (an abstract unix
// socket, unix(7)). The error names the holder where the kernel tells. Any local user who knows a name can take it
// while it is free.
absl::StatusOr<Descriptor> LockName(const std::string& name);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
