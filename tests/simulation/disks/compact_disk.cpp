#include "tests/simulation/disks/compact_disk.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace lean::simulation {

// The content of a file to which bytes are appended: compressed pieces of one length, and the rest. Thread-safe.
class CompactFile {
 public:
  // Returns the new length.
  uint64_t Append(const rocksdb::Slice& data) {
    MutexLock lock(mutex_);
    size_ += data.size();
    rest_.append(data.data(), data.size());
    size_t done = 0;
    for (; rest_.size() - done >= kPiece; done += kPiece) pieces_.push_back(Compressed(rest_.data() + done, kPiece));
    rest_.erase(0, done);
    if (done > 0) rest_.shrink_to_fit();
    return size_;
  }

  // Nothing is appended any more.
  void Finish() {
    MutexLock lock(mutex_);
    if (!rest_.empty()) pieces_.push_back(Compressed(rest_.data(), rest_.size()));
    rest_.clear();
    rest_.shrink_to_fit();  // an assignment of an empty string would keep the room
  }

  // Copies what the file has of the range to `out`. Returns its length.
  size_t Read(uint64_t offset, size_t length, char* out) const {
    MutexLock lock(mutex_);
    const uint64_t end = std::min<uint64_t>(size_, offset + length);
    size_t copied = 0;
    std::string piece(kPiece, '\0');
    for (uint64_t at = offset; at < end;) {
      const size_t index = at / kPiece;
      const size_t in_piece = at % kPiece;
      const char* from = rest_.data();
      if (index < pieces_.size()) {
        ZSTD_decompress(piece.data(), kPiece, pieces_[index].data(), pieces_[index].size());
        from = piece.data();
      }
      const size_t count = std::min<uint64_t>(kPiece - in_piece, end - at);
      std::memcpy(out + copied, from + in_piece, count);
      copied += count;
      at += count;
    }
    return copied;
  }

  size_t bytes() const {
    MutexLock lock(mutex_);
    size_t bytes = rest_.capacity();
    for (const std::string& piece : pieces_) bytes += piece.capacity() + sizeof(piece);
    return bytes;
  }

 private:
  static constexpr size_t kPiece = size_t{1} << 20;
  static constexpr int kLevel = 1;

  static std::string Compressed(const char* piece, size_t length) {
    std::string buffer(ZSTD_compressBound(length), '\0');
    const size_t size = ZSTD_compress(buffer.data(), buffer.size(), piece, length, kLevel);
    return std::string(buffer.data(), size);  // without the spare room
  }

  mutable Mutex mutex_;
  std::vector<std::string> pieces_ ABSL_GUARDED_BY(mutex_);  // each of kPiece bytes; of a finished file up to the last
  uint64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string rest_ ABSL_GUARDED_BY(mutex_);
};

namespace {

bool HasBlocks(const std::string& name) { return absl::EndsWith(name, ".blob"); }

// Appends to the file in memory, and sets the length of the one on the disk.
class CompactWriter final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  CompactWriter(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<CompactFile> content)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), content_(std::move(content)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    size_ = content_->Append(data);
    return FSWritableFileOwnerWrapper::Truncate(size_, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    content_->Finish();
    return FSWritableFileOwnerWrapper::Close(options, debug);
  }
  uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return size_; }

 private:
  const std::shared_ptr<CompactFile> content_;
  uint64_t size_ = 0;
};

class CompactReader final : public rocksdb::FSRandomAccessFile {
 public:
  explicit CompactReader(std::shared_ptr<const CompactFile> content) : content_(std::move(content)) {}

  rocksdb::IOStatus Read(uint64_t offset, size_t length, const rocksdb::IOOptions&, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext*) const override {
    *result = rocksdb::Slice(scratch, content_->Read(offset, length, scratch));
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::shared_ptr<const CompactFile> content_;
};

}  // namespace

size_t CompactFileSystem::bytes() const {
  MutexLock lock(mutex_);
  size_t bytes = 0;
  for (const auto& [name, file] : files_) bytes += file->bytes();
  return bytes;
}

rocksdb::IOStatus CompactFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                                     std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                     rocksdb::IODebugContext* debug) {
  if (!HasBlocks(name)) return FileSystemWrapper::NewWritableFile(name, options, result, debug);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) {
    auto content = std::make_shared<CompactFile>();
    *result = std::make_unique<CompactWriter>(std::move(file), content);
    MutexLock lock(mutex_);
    files_[name] = std::move(content);
  }
  return status;
}

rocksdb::IOStatus CompactFileSystem::NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                                         rocksdb::IODebugContext* debug) {
  if (!HasBlocks(name)) return FileSystemWrapper::NewRandomAccessFile(name, options, result, debug);
  MutexLock lock(mutex_);
  const auto found = files_.find(name);
  if (found == files_.end()) return rocksdb::IOStatus::PathNotFound(name);
  *result = std::make_unique<CompactReader>(found->second);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus CompactFileSystem::DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                                                rocksdb::IODebugContext* debug) {
  {
    MutexLock lock(mutex_);
    files_.erase(name);
  }
  return FileSystemWrapper::DeleteFile(name, options, debug);
}

}  // namespace lean::simulation
