#include "tests/simulation/disks/chain_disk.h"

#include <utility>

#include "absl/strings/match.h"

namespace lean::simulation {
namespace {

rocksdb::IOStatus NoPower() { return rocksdb::IOStatus::IOError("Input/output error"); }

class ChainFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ChainFile(std::unique_ptr<rocksdb::FSWritableFile> file, ChainFileSystem& disk, bool is_log)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), is_log_(is_log) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const size_t kept = disk_.Admit(is_log_, data.size());
    const rocksdb::IOStatus status =
        FSWritableFileOwnerWrapper::Append(rocksdb::Slice(data.data(), kept), options, debug);
    return status.ok() && kept < data.size() ? NoPower() : status;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    // Written bytes are kept: no other machine than the simulated one fails.
    return disk_.is_dark() ? NoPower() : rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  ChainFileSystem& disk_;
  const bool is_log_;
};

}  // namespace

void ChainFileSystem::CutPowerAfter(uint64_t writes, std::mt19937_64& random) {
  MutexLock lock(mutex_);
  power_ = Power::kFailing;
  writes_left_ = writes;
  torn_ = random();
}

void ChainFileSystem::CutPower() {
  MutexLock lock(mutex_);
  power_ = Power::kOff;
}

void ChainFileSystem::RestorePower() {
  MutexLock lock(mutex_);
  power_ = Power::kOn;
}

size_t ChainFileSystem::Admit(bool is_log, size_t length) {
  MutexLock lock(mutex_);
  if (power_ == Power::kOff) return 0;
  if (power_ == Power::kOn || !is_log || writes_left_-- > 0) return length;
  power_ = Power::kOff;
  return length == 0 ? 0 : torn_ % length;
}

bool ChainFileSystem::is_dark() const {
  MutexLock lock(mutex_);
  return power_ == Power::kOff;
}

rocksdb::IOStatus ChainFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                   rocksdb::IODebugContext* debug) {
  if (is_dark()) return NoPower();
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) *result = std::make_unique<ChainFile>(std::move(file), *this, absl::EndsWith(name, ".log"));
  return status;
}

rocksdb::IOStatus ChainFileSystem::RenameFile(const std::string& from, const std::string& to,
                                              const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  return is_dark() ? NoPower() : FileSystemWrapper::RenameFile(from, to, options, debug);
}

rocksdb::IOStatus ChainFileSystem::DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                                              rocksdb::IODebugContext* debug) {
  return is_dark() ? NoPower() : FileSystemWrapper::DeleteFile(name, options, debug);
}

}  // namespace lean::simulation
