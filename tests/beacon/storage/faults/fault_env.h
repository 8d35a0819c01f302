// A file system that fails when told to: for RocksDB's Env.
#ifndef LEAN_TESTS_BEACON_STORAGE_FAULTS_FAULT_ENV_H_
#define LEAN_TESTS_BEACON_STORAGE_FAULTS_FAULT_ENV_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace lean::beacon {

enum class DiskFault {
  kNone,
  kNoSpace,     // nothing is written, "no space left"
  kIoError,     // nothing is written, "input/output error"
  kTorn,        // half of it is written, then "input/output error"
  kSyncFailed,  // written, but fsync says "input/output error"
  kReadOnly,    // nothing is written nor made, "read-only file system"
};

// On the machine's own disk. Thread-safe.
class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  FaultFileSystem() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  // From now on, after `after` further writes.
  void Set(DiskFault fault, int64_t after = 0) {
    writes_left_ = after;
    fault_ = fault;
  }
  uint64_t failures() const { return failures_; }

  const char* Name() const override { return "FaultFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;

  // The fault of the write that comes now.
  DiskFault Next();

 private:
  std::atomic<DiskFault> fault_ = DiskFault::kNone;
  std::atomic<int64_t> writes_left_ = 0;
  std::atomic<uint64_t> failures_ = 0;
};

// An Env on it; the file system stays usable through the pointer.
struct FaultEnv {
  std::shared_ptr<FaultFileSystem> files = std::make_shared<FaultFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_STORAGE_FAULTS_FAULT_ENV_H_
