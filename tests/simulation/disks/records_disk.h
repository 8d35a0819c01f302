// The disk under the signing records: SQLite's files with writes that are not durable before they are synced.
#ifndef LEAN_TESTS_SIMULATION_DISKS_RECORDS_DISK_H_
#define LEAN_TESTS_SIMULATION_DISKS_RECORDS_DISK_H_

#include <cstdint>
#include <random>
#include <string>

namespace lean::simulation {

// Makes SQLite use this disk for all files that are opened from now on. The files are real ones, but syncing them costs
// nothing: a machine whose power fails is simulated. May be called again.
void InstallRecordsDisk();

// The power of the machine whose files are in `folder` fails: of each file, the writes since its last sync are undone
// from a random one on, which itself may be half done. Open files of the folder fail from now on; close them, then call
// RestorePower.
void CutPower(const std::string& folder, std::mt19937_64& random);
// Writes to the folder fail from the one after the next `writes` on: then call CutPower.
void CutPowerAfter(const std::string& folder, uint64_t writes);
void RestorePower(const std::string& folder);

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_DISKS_RECORDS_DISK_H_
