#include "tests/simulation/disks/records_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace lean::simulation {
namespace {

// A write or truncation that is not synced, and what undoes it.
struct Change {
  int64_t offset = 0;
  std::vector<char> before;  // the bytes that were there, up to the old end of the file
  std::vector<char> after;   // the bytes that were written; empty: a truncation
  int64_t old_size = 0;
};

// SQLite has one list of file systems, so that there is one disk, with the machines as folders.
struct Disk {
  sqlite3_vfs* real = nullptr;
  std::map<std::string, std::vector<Change>> unsynced;  // by path
  std::map<std::string, uint64_t> writes_left;          // by folder of a machine whose power fails

  // Whether the power of the file's machine is gone.
  bool IsDark(const std::string& path) const {
    return std::any_of(writes_left.begin(), writes_left.end(),
                       [&](const auto& machine) { return machine.second == 0 && path.starts_with(machine.first); });
  }
  void CountWrite(const std::string& path) {
    for (auto& [folder, left] : writes_left) {
      if (left > 0 && path.starts_with(folder)) --left;
    }
  }
};

Disk& TheDisk() {
  static Disk disk;
  return disk;
}

struct File {
  sqlite3_file base;  // first: SQLite sees this
  std::string* path;
  sqlite3_file* real;
};

File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file).real; }
bool IsDark(sqlite3_file* file) { return TheDisk().IsDark(*Of(file).path); }

int64_t SizeOf(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  Real(file)->pMethods->xFileSize(Real(file), &size);
  return size;
}

std::vector<char> ReadBefore(sqlite3_file* file, int64_t offset, int64_t length, int64_t size) {
  std::vector<char> bytes(static_cast<size_t>(std::clamp<int64_t>(size - offset, 0, length)));
  if (!bytes.empty()) Real(file)->pMethods->xRead(Real(file), bytes.data(), static_cast<int>(bytes.size()), offset);
  return bytes;
}

int Close(sqlite3_file* file) {
  const int result = Real(file)->pMethods == nullptr ? SQLITE_OK : Real(file)->pMethods->xClose(Real(file));
  delete Of(file).path;
  return result;
}
int Read(sqlite3_file* file, void* out, int length, sqlite3_int64 offset) {
  return Real(file)->pMethods->xRead(Real(file), out, length, offset);
}
int Write(sqlite3_file* file, const void* bytes, int length, sqlite3_int64 offset) {
  if (IsDark(file)) return SQLITE_IOERR_WRITE;
  TheDisk().CountWrite(*Of(file).path);
  const int64_t size = SizeOf(file);
  const auto* text = static_cast<const char*>(bytes);
  TheDisk().unsynced[*Of(file).path].push_back(
      {offset, ReadBefore(file, offset, length, size), std::vector<char>(text, text + length), size});
  return Real(file)->pMethods->xWrite(Real(file), bytes, length, offset);
}
int Truncate(sqlite3_file* file, sqlite3_int64 length) {
  if (IsDark(file)) return SQLITE_IOERR_TRUNCATE;
  const int64_t size = SizeOf(file);
  TheDisk().unsynced[*Of(file).path].push_back({length, ReadBefore(file, length, size - length, size), {}, size});
  return Real(file)->pMethods->xTruncate(Real(file), length);
}
int Sync(sqlite3_file* file, int) {
  if (IsDark(file)) return SQLITE_IOERR_FSYNC;
  TheDisk().unsynced.erase(*Of(file).path);
  return SQLITE_OK;
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) { return Real(file)->pMethods->xFileSize(Real(file), size); }
int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int Unlock(sqlite3_file* file, int level) { return Real(file)->pMethods->xUnlock(Real(file), level); }
int CheckReservedLock(sqlite3_file* file, int* out) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
}
int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
int DeviceCharacteristics(sqlite3_file* file) { return Real(file)->pMethods->xDeviceCharacteristics(Real(file)); }
int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  return Real(file)->pMethods->xShmMap(Real(file), region, size, extend, out);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int remove) { return Real(file)->pMethods->xShmUnmap(Real(file), remove); }

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  File& opened = Of(file);
  opened.base.pMethods = nullptr;
  opened.real = reinterpret_cast<sqlite3_file*>(&opened + 1);
  sqlite3_vfs* real = TheDisk().real;
  if (name != nullptr && TheDisk().IsDark(name)) return SQLITE_CANTOPEN;
  const int result = real->xOpen(real, name, opened.real, flags, out_flags);
  if (opened.real->pMethods == nullptr) return result;
  opened.base.pMethods = &kMethods;
  opened.path = new std::string(name == nullptr ? "" : name);
  return result;
}

int Delete(sqlite3_vfs*, const char* name, int sync) {
  if (TheDisk().IsDark(name)) return SQLITE_IOERR_DELETE;
  TheDisk().unsynced.erase(name);
  return TheDisk().real->xDelete(TheDisk().real, name, sync);
}

void Undo(const std::string& path, std::vector<Change> changes, std::mt19937_64& random) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  const size_t kept = random() % (changes.size() + 1);
  const std::optional<Change> torn =
      kept < changes.size() && random() % 2 == 0 ? std::optional(changes[kept]) : std::nullopt;
  bool done = true;
  for (size_t i = changes.size(); i > kept; --i) {
    const Change& change = changes[i - 1];
    done = done && pwrite(file, change.before.data(), change.before.size(), change.offset) >= 0;
    done = done && ftruncate(file, change.old_size) == 0;
  }
  if (torn.has_value() && !torn->after.empty()) {
    done = done && pwrite(file, torn->after.data(), torn->after.size() / 2, torn->offset) >= 0;
  }
  close(file);
  if (!done) unlink(path.c_str());  // the disk of this machine is full: the file is lost
}

}  // namespace

void InstallRecordsDisk() {
  Disk& disk = TheDisk();
  if (disk.real != nullptr) return;
  disk.real = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs = *disk.real;
  vfs.zName = "lean-sim";
  vfs.szOsFile = static_cast<int>(sizeof(File)) + disk.real->szOsFile;
  vfs.pNext = nullptr;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  sqlite3_vfs_register(&vfs, /*makeDflt=*/1);
}

void CutPower(const std::string& folder, std::mt19937_64& random) {
  Disk& disk = TheDisk();
  disk.writes_left[folder] = 0;
  for (auto it = disk.unsynced.begin(); it != disk.unsynced.end();) {
    if (!it->first.starts_with(folder)) {
      ++it;
      continue;
    }
    Undo(it->first, std::move(it->second), random);
    it = disk.unsynced.erase(it);
  }
}

void CutPowerAfter(const std::string& folder, uint64_t writes) { TheDisk().writes_left[folder] = writes; }

void RestorePower(const std::string& folder) { TheDisk().writes_left.erase(folder); }

}  // namespace lean::simulation
