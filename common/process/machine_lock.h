// Locks that end with their process and leave nothing behind: on a file as it is, and on a name of this machine.
#ifndef LEAN_COMMON_PROCESS_MACHINE_LOCK_H_
#define LEAN_COMMON_PROCESS_MACHINE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/process/descriptors.h"

namespace lean {

// Holds as long as the descriptor that is returned is open. Errors of both: FailedPrecondition when another process
// (or this one, by another descriptor) has it; otherwise the system's error.

// Locks the file that `path` leads to: all its links lock together. Reads and writes nothing; reading it must be
// allowed.
absl::StatusOr<Descriptor> LockFile(const std::string& path);

// Locks a name, at most 107 bytes, for all processes of this network namespace, of whatever user (an abstract unix
// socket, unix(7)). The error names the holder where the kernel tells. Any local user who knows a name can take it
// while it is free.
absl::StatusOr<Descriptor> LockName(const std::string& name);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_MACHINE_LOCK_H_
