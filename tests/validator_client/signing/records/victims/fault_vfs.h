// SQLite's view of the disk, with faults: every write boundary can be the last one.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_FAULT_VFS_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_FAULT_VFS_H_

#include <cstdint>
#include <string>

namespace lean::validator {

enum class Fault {
  kNone,
  // The process ends by SIGKILL.
  kKillBefore,  // before the operation
  kKillTorn,    // after the first half of a write
  kKillAfter,   // after the operation
  // The machine loses power: SIGKILL, and of what was written since the last sync of each file any sectors may be
  // missing.
  kPowerCutBefore,
  kPowerCutAfter,
  // The operation fails; the process goes on.
  kFailedSync,  // the sync reports an error and is not done; other operations work
  kDiskFull,    // half of the write is done
  kIoError,     // half of the write is done
  kReadOnly,    // nothing is done
};
inline constexpr int kFaultCount = static_cast<int>(Fault::kReadOnly) + 1;

const char* FaultName(Fault fault);

struct FaultPlan {
  Fault fault = Fault::kNone;
  uint64_t first = 0;  // the operation it happens at, from 0
  uint64_t count = 1;  // operations in a row that fail
  uint64_t seed = 0;   // of what survives a power cut
};

// Registers the faulty disk as SQLite's default. Once a process, before any database is opened. An operation is a
// write, sync, truncation or deletion.
void InstallFaultVfs(const FaultPlan& plan);

// Operations so far.
uint64_t FaultVfsOperations();

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_FAULT_VFS_H_
