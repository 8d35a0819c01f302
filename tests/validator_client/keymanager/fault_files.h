// The C library's calls that change files, with an end at any of them: linked into a victim, they replace the
// library's.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_

#include <cstdint>
#include <string>

namespace lean::validator {

enum class FileFault {
  kNone,
  kKillBefore,  // SIGKILL before the call
  kKillAfter,   // SIGKILL after it
  // The machine loses power after the call: SIGKILL, and of what no sync has brought to the disk any part may be
  // missing: what was written to files, and names that were made, renamed or removed.
  kPowerCut,
};

struct FileFaultPlan {
  FileFault fault = FileFault::kNone;
  uint64_t at = 0;     // the call it happens at, from 0
  uint64_t seed = 0;   // of what survives a power cut
  std::string folder;  // whose files lose power; no links lead into it
};

// From now on calls of this thread count: open for a new file, write, fsync, fdatasync, ftruncate, link, rename,
// unlink. Once a process.
void ArmFileFaults(const FileFaultPlan& plan);

// Counted so far.
uint64_t FileCalls();

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_
