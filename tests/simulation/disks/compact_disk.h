// A file system for RocksDB's Env on which bodies of blocks take little room: files of blocks are kept compressed in
// memory. Their names and lengths are on the machine's own disk, as files with holes.
#ifndef LEAN_TESTS_SIMULATION_DISKS_COMPACT_DISK_H_
#define LEAN_TESTS_SIMULATION_DISKS_COMPACT_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace lean::simulation {

class CompactFile;

// Thread-safe.
class CompactFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  CompactFileSystem() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  // What the files take in memory.
  size_t bytes() const;

  const char* Name() const override { return "CompactFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<CompactFile>> files_ ABSL_GUARDED_BY(mutex_);  // by path
};

// An Env on it; the file system stays usable through the pointer.
struct CompactDisk {
  std::shared_ptr<CompactFileSystem> files = std::make_shared<CompactFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_DISKS_COMPACT_DISK_H_
