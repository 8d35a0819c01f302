// Locks that the kernel releases when their process ends: a lock file that names its holder, a lock on any file, and a
// lock on a name on this machine.
#ifndef LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
#define LEAN_COMMON_PROCESS_PROCESS_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"

namespace lean {

// Holds flock(2) on a file that contains the process id of the holder. The kernel releases the lock when the process
// ends, however it ends. The file itself stays and does not lock anybody out. Movable.
class ProcessLock {
 public:
  // Locks `file` and creates it with mode 0600 if it does not exist. An existing file can be locked on a full or
  // read-only disk. For messages, `what` is what the lock protects, and `why` says what two processes would break.
  // kFailedPrecondition: another process holds the lock; the message contains `what`, the process id and `why`.
  // kPermissionDenied, kNotFound, ..: the file cannot be created or opened.
  static absl::StatusOr<ProcessLock> Acquire(const std::string& file, absl::string_view what, absl::string_view why);

  // Sets a line that the error of refused processes contains from now on, such as what to do instead.
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

// Locks the file to which `path` leads, so all its links share the lock. Does not read or write the file, but needs
// permission to read it.
absl::StatusOr<Descriptor> LockFile(const std::string& path);

// Locks a name of at most 107 bytes for all processes of this network namespace and all users (an abstract unix socket,
// see unix(7)). The error names the holder if the kernel knows it. Any local user who knows a free name can lock it.
absl::StatusOr<Descriptor> LockName(const std::string& name);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROCESS_LOCK_H_
