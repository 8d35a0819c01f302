#include "tests/validator_client/signing/records/victims/fault_vfs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "sqlite3.h"

namespace lean::validator {
namespace {

constexpr int64_t kSector = 512;

// One change since the last sync of a file.
struct Unsynced {
  int64_t offset = 0;
  int64_t old_size = 0;
  std::vector<char> before;  // the former content; shorter than `after` at the end of the file
  std::vector<char> after;
  bool truncation = false;  // to `offset`
};

struct Disk {
  FaultPlan plan;
  uint64_t operations = 0;
  sqlite3_vfs* real = nullptr;
  std::map<std::string, std::vector<Unsynced>> unsynced;
};

// SQLite gives a VFS no state that files could share. It is set once, in a process for one test.
Disk disk;

struct FaultFile {
  sqlite3_file base;
  const char* path = nullptr;  // must live while the file is open
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile* Cast(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file); }

[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  while (true) pause();
}

void PwriteAll(int descriptor, const char* bytes, size_t size, int64_t offset) {
  if (pwrite(descriptor, bytes, size, offset) != static_cast<ssize_t>(size)) Die();
}

// Keeps what was synced, and any of the other sectors.
void LosePower() {
  std::mt19937_64 random(disk.plan.seed ^ disk.operations);
  for (auto& [path, changes] : disk.unsynced) {
    if (changes.empty()) continue;
    const int descriptor = open(path.c_str(), O_RDWR);
    if (descriptor < 0) continue;
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
      PwriteAll(descriptor, change->before.data(), change->before.size(), change->offset);
      if (ftruncate(descriptor, change->old_size) != 0) Die();
    }
    // None, half or all of them: a cache may have written nothing, some or everything.
    const int chance = std::uniform_int_distribution<int>(0, 2)(random);
    for (const Unsynced& change : changes) {
      const auto survives = [&] { return chance == 2 || (chance == 1 && random() % 2 == 0); };
      if (change.truncation) {
        if (survives() && ftruncate(descriptor, change.offset) != 0) Die();
        continue;
      }
      const int64_t end = change.offset + static_cast<int64_t>(change.after.size());
      for (int64_t at = change.offset; at < end;) {
        const int64_t next = std::min(end, (at / kSector + 1) * kSector);
        if (survives()) {
          PwriteAll(descriptor, change.after.data() + (at - change.offset), static_cast<size_t>(next - at), at);
        }
        at = next;
      }
    }
    close(descriptor);
  }
  Die();
}

// Counts an operation. True: this is the one that fails.
bool Due() {
  const uint64_t operation = disk.operations++;
  const bool due =
      disk.plan.fault != Fault::kNone && operation >= disk.plan.first && operation - disk.plan.first < disk.plan.count;
  if (due && disk.plan.fault == Fault::kKillBefore) Die();
  if (due && disk.plan.fault == Fault::kPowerCutBefore) LosePower();
  return due;
}

void AfterOperation(bool due) {
  if (!due) return;
  if (disk.plan.fault == Fault::kKillAfter || disk.plan.fault == Fault::kKillTorn) Die();
  if (disk.plan.fault == Fault::kPowerCutAfter) LosePower();
}

void Remember(FaultFile* file, const void* bytes, int amount, int64_t offset) {
  if (file->path == nullptr) return;
  Unsynced change;
  change.offset = offset;
  file->real()->pMethods->xFileSize(file->real(), reinterpret_cast<sqlite3_int64*>(&change.old_size));
  const int64_t there = std::clamp<int64_t>(change.old_size - offset, 0, amount);
  change.before.resize(static_cast<size_t>(there));
  if (there > 0) {
    file->real()->pMethods->xRead(file->real(), change.before.data(), static_cast<int>(there), offset);
  }
  const char* begin = static_cast<const char*>(bytes);
  change.after.assign(begin, begin + amount);
  disk.unsynced[file->path].push_back(std::move(change));
}

int RealWrite(FaultFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  Remember(file, bytes, amount, offset);
  return file->real()->pMethods->xWrite(file->real(), bytes, amount, offset);
}

int Write(sqlite3_file* handle, const void* bytes, int amount, sqlite3_int64 offset) {
  FaultFile* file = Cast(handle);
  const bool due = Due();
  if (due) {
    switch (disk.plan.fault) {
      case Fault::kKillTorn:
        RealWrite(file, bytes, amount / 2, offset);
        Die();
      case Fault::kDiskFull:
        RealWrite(file, bytes, amount / 2, offset);
        return SQLITE_FULL;
      case Fault::kIoError:
        RealWrite(file, bytes, amount / 2, offset);
        return SQLITE_IOERR_WRITE;
      case Fault::kReadOnly:
        return SQLITE_READONLY;
      default:
        break;
    }
  }
  const int result = RealWrite(file, bytes, amount, offset);
  AfterOperation(due);
  return result;
}

int Sync(sqlite3_file* handle, int flags) {
  FaultFile* file = Cast(handle);
  const bool due = Due();
  if (due && (disk.plan.fault == Fault::kFailedSync || disk.plan.fault == Fault::kIoError)) return SQLITE_IOERR_FSYNC;
  // Does not sync the real disk: a synced change is one that LosePower keeps.
  (void)flags;
  if (file->path != nullptr) disk.unsynced[file->path].clear();
  AfterOperation(due);
  return SQLITE_OK;
}

int Truncate(sqlite3_file* handle, sqlite3_int64 size) {
  FaultFile* file = Cast(handle);
  const bool due = Due();
  if (due && disk.plan.fault == Fault::kIoError) return SQLITE_IOERR_TRUNCATE;
  if (due && disk.plan.fault == Fault::kReadOnly) return SQLITE_READONLY;
  if (file->path != nullptr) {
    sqlite3_int64 old_size = 0;
    file->real()->pMethods->xFileSize(file->real(), &old_size);
    if (old_size > size) {
      std::vector<char> cut(static_cast<size_t>(old_size - size));
      Remember(file, cut.data(), static_cast<int>(cut.size()), size);
      disk.unsynced[file->path].back().truncation = true;
    }
  }
  const int result = file->real()->pMethods->xTruncate(file->real(), size);
  AfterOperation(due);
  return result;
}

int Close(sqlite3_file* handle) { return Cast(handle)->real()->pMethods->xClose(Cast(handle)->real()); }
int Read(sqlite3_file* handle, void* bytes, int amount, sqlite3_int64 offset) {
  return Cast(handle)->real()->pMethods->xRead(Cast(handle)->real(), bytes, amount, offset);
}
int FileSize(sqlite3_file* handle, sqlite3_int64* size) {
  return Cast(handle)->real()->pMethods->xFileSize(Cast(handle)->real(), size);
}
int Lock(sqlite3_file* handle, int level) { return Cast(handle)->real()->pMethods->xLock(Cast(handle)->real(), level); }
int Unlock(sqlite3_file* handle, int level) {
  return Cast(handle)->real()->pMethods->xUnlock(Cast(handle)->real(), level);
}
int CheckReservedLock(sqlite3_file* handle, int* result) {
  return Cast(handle)->real()->pMethods->xCheckReservedLock(Cast(handle)->real(), result);
}
int FileControl(sqlite3_file* handle, int operation, void* argument) {
  return Cast(handle)->real()->pMethods->xFileControl(Cast(handle)->real(), operation, argument);
}
int SectorSize(sqlite3_file*) { return kSector; }
// Promises nothing about the disk.
int DeviceCharacteristics(sqlite3_file*) { return 0; }

// Version 1, without shared memory, which the records do not use.
const sqlite3_io_methods kMethods = {1,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     DeviceCharacteristics,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

int Open(sqlite3_vfs*, const char* path, sqlite3_file* handle, int flags, int* out_flags) {
  FaultFile* file = Cast(handle);
  file->base.pMethods = nullptr;
  const int result = disk.real->xOpen(disk.real, path, file->real(), flags, out_flags);
  if (result != SQLITE_OK) return result;
  file->base.pMethods = &kMethods;
  file->path = path;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* path, int sync_folder) {
  const bool due = Due();
  if (due && disk.plan.fault == Fault::kIoError) return SQLITE_IOERR_DELETE;
  disk.unsynced.erase(path);
  const int result = disk.real->xDelete(disk.real, path, sync_folder);
  AfterOperation(due);
  return result;
}

}  // namespace

const char* FaultName(Fault fault) {
  static const char* const kNames[kFaultCount] = {
      "none",        "kill-before", "kill-torn", "kill-after", "power-cut-before", "power-cut-after",
      "failed-sync", "disk-full",   "io-error",  "read-only"};
  return kNames[static_cast<int>(fault)];
}

void InstallFaultVfs(const FaultPlan& plan) {
  disk.plan = plan;
  disk.real = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs = *disk.real;
  vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + disk.real->szOsFile;
  vfs.zName = "fault";
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  sqlite3_vfs_register(&vfs, 1);
}

uint64_t FaultVfsOperations() { return disk.operations; }

}  // namespace lean::validator
