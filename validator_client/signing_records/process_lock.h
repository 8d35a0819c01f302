// One process at a time: a lock file that names its holder.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_PROCESS_LOCK_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_PROCESS_LOCK_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean::validator {

// Holds flock(2) on a file with the holder's process id in it. The kernel drops the lock with the process, however it
// ends, so what a killed process left behind locks nobody out; the file itself stays. Movable.
class ProcessLock {
 public:
  // Locks `file`, made with mode 0600 if it is not there. `what` is what it stands for, for messages.
  // kFailedPrecondition: another process has it; the message names `what` and that process's id.
  // kPermissionDenied, kNotFound, ..: the file cannot be made or opened.
  static absl::StatusOr<ProcessLock> Acquire(const std::string& file, absl::string_view what);

  // Locks each of the folders by its file ".lean-validator.lock"; a folder named twice counts once.
  static absl::StatusOr<std::vector<ProcessLock>> AcquireFolders(const std::vector<std::string>& folders);

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

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_PROCESS_LOCK_H_
