// Replacements for the C library's calls that change files. They are linked into a test or a victim process, and can
// end the process at any of these calls, or let the call fail.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_

#include <cstdint>
#include <string>

namespace lean::validator {

enum class FileFault {
  kNone,
  kKillBefore,  // SIGKILL before the call
  kKillAfter,   // SIGKILL after it
  // Simulates a power cut after the call: SIGKILL, and any part of what was not synced may be lost: data in files, and
  // names that were created, renamed or removed.
  kPowerCut,
  kFail,  // the call does nothing and returns EIO
};

struct FileFaultPlan {
  FileFault fault = FileFault::kNone;
  uint64_t at = 0;     // number of the call at which it happens, from 0
  uint64_t seed = 0;   // seed for what survives a power cut
  std::string folder;  // folder whose files lose power; no links lead into it
};

// Counts the calls of this thread from now on: open for a new file, write, fsync, fdatasync, ftruncate, link, rename,
// unlink. Call it once per thread.
void ArmFileFaults(const FileFaultPlan& plan);
// Ends that.
void DisarmFileFaults();

// The calls counted so far.
uint64_t FileCalls();

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_FAULT_FILES_H_
