#include "tests/beacon/storage/faults/fault_env.h"

#include <utility>

namespace lean::beacon {
namespace {

rocksdb::IOStatus ErrorOf(DiskFault fault) {
  switch (fault) {
    case DiskFault::kNoSpace:
      return rocksdb::IOStatus::NoSpace("No space left on device");
    case DiskFault::kReadOnly:
      return rocksdb::IOStatus::IOError("Read-only file system");
    default:
      return rocksdb::IOStatus::IOError("Input/output error");
  }
}

class FaultFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultFileSystem& disk)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const DiskFault fault = disk_.Next();
    if (fault == DiskFault::kNone || fault == DiskFault::kSyncFailed) {
      return FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    if (fault == DiskFault::kTorn) {
      const rocksdb::Slice half(data.data(), data.size() / 2);
      if (auto status = FSWritableFileOwnerWrapper::Append(half, options, debug); !status.ok()) return status;
    }
    return ErrorOf(fault);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const DiskFault fault = disk_.Next();
    return fault == DiskFault::kNone ? FSWritableFileOwnerWrapper::Sync(options, debug) : ErrorOf(fault);
  }

 private:
  FaultFileSystem& disk_;
};

}  // namespace

DiskFault FaultFileSystem::Next() {
  const DiskFault fault = fault_;
  if (fault == DiskFault::kNone || writes_left_.fetch_sub(1) > 0) return DiskFault::kNone;
  ++failures_;
  return fault;
}

rocksdb::IOStatus FaultFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                   rocksdb::IODebugContext* debug) {
  if (fault_ == DiskFault::kReadOnly && Next() != DiskFault::kNone) return ErrorOf(DiskFault::kReadOnly);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) *result = std::make_unique<FaultFile>(std::move(file), *this);
  return status;
}

}  // namespace lean::beacon
