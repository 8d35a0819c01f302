// A VFS of SQLite with faults: the process can end at every write.
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
  // Simulates a power cut: SIGKILL, and any sectors written since the last sync of each file may be lost.
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
  uint64_t first = 0;  // number of the operation at which it happens, from 0
  uint64_t count = 1;  // operations in a row that fail
  uint64_t seed = 0;   // seed for what survives a power cut
};

// Registers the faulty disk as SQLite's default. Call it once per process, before a database is opened. An operation is
// a write, sync, truncation or deletion.
void InstallFaultVfs(const FaultPlan& plan);

// The number of operations so far.
uint64_t FaultVfsOperations();

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_FAULT_VFS_H_
