// The disk under the chain of one node: a file system for RocksDB's Env whose power can fail.
#ifndef LEAN_TESTS_SIMULATION_DISKS_CHAIN_DISK_H_
#define LEAN_TESTS_SIMULATION_DISKS_CHAIN_DISK_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace lean::simulation {

// On the machine's own files. Only writes to RocksDB's log are counted, since its other files are written by threads of
// its own: when the power fails does not depend on them. Thread-safe.
class ChainFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  ChainFileSystem() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  // The power fails in the write to the log after the next `writes`: a part of it is kept, of a length that `random`
  // gives. Then everything fails.
  void CutPowerAfter(uint64_t writes, std::mt19937_64& random);
  // The power is gone from now on.
  void CutPower();
  void RestorePower();

  const char* Name() const override { return "ChainFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  // --- As its files use it ---

  // The bytes of a write that reach the disk; if they are fewer than `length`, the write fails.
  size_t Admit(bool is_log, size_t length);
  bool is_dark() const;

 private:
  enum class Power { kOn, kFailing, kOff };

  mutable Mutex mutex_;
  Power power_ ABSL_GUARDED_BY(mutex_) = Power::kOn;
  uint64_t writes_left_ ABSL_GUARDED_BY(mutex_) = 0;  // of kFailing
  uint64_t torn_ ABSL_GUARDED_BY(mutex_) = 0;         // of kFailing: tells how much of the last write is kept
};

// An Env on it; the file system stays usable through the pointer.
struct ChainDisk {
  std::shared_ptr<ChainFileSystem> files = std::make_shared<ChainFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_DISKS_CHAIN_DISK_H_
