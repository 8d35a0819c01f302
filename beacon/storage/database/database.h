// Database: RocksDB with six columns and atomic batches, which recovers after the disk has failed.
#ifndef LEAN_BEACON_STORAGE_DATABASE_DATABASE_H_
#define LEAN_BEACON_STORAGE_DATABASE_DATABASE_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"

// Forward declarations keep RocksDB's headers out of this one.
namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Slice;
class Status;
class WriteBufferManager;
struct CompactRangeOptions;
}  // namespace rocksdb

namespace lean::beacon {

enum class Column {
  kMeta,       // what the folder is, and checkpoints, by name
  kSlots,      // root of every imported block -> slot
  kBlocks,     // slot and root -> signed block
  kCanonical,  // slot -> root, for the finalized chain
  kStates,     // slot and root -> snapshot of a finalized state
  kVotes,      // validator -> its newest vote from gossip
};
inline constexpr size_t kColumns = 6;
absl::string_view ColumnName(Column column);

inline constexpr uint64_t kMinFreeBytes = uint64_t{64} << 20;
// Blocks that fill half of the memory that RocksDB collects them in.
inline constexpr size_t kDirectBytes = size_t{4} << 20;
// RocksDB takes about 2 µs for each file of blocks whenever it adds one: 8 ms for so many.
inline constexpr size_t kDirectFiles = 4096;

struct DatabaseOptions {
  std::string path;             // a folder
  bool create = false;          // create it when it does not exist
  bool read_only = false;       // change nothing, not even by recovery from the log
  rocksdb::Env* env = nullptr;  // for tests; null: the file system. Outlives the database.
  // Nothing is written when the disk has less free space. RocksDB needs space to move data, and assertions in Debian's
  // build end the process on a full disk.
  uint64_t min_free_bytes = kMinFreeBytes;
  // Batches with as many bytes of blocks write them directly; see Write.
  size_t direct_bytes = kDirectBytes;
  // With as many files of blocks, large blocks are collected as well, so that there are several in a file.
  size_t direct_files = kDirectFiles;
  // When requested, long operations end soon with kCancelled; single reads and writes continue.
  std::stop_token stop = {};
};

// A batch, which is written as a whole or not at all, except that the bodies of large blocks are written first.
class WriteSet {
 public:
  void Put(Column column, std::string key, std::string value) {
    Put(column, std::move(key), std::move(value), {}, nullptr);
  }
  // The value ends with `tail`, which is not copied. `owner` keeps it.
  void Put(Column column, std::string key, std::string value, ByteSpan tail, std::shared_ptr<const void> owner) {
    const size_t bytes = key.size() + value.size() + tail.size();
    bytes_ += bytes;
    if (column == Column::kBlocks) block_bytes_ += bytes;
    entries_.push_back({column, std::move(key), std::move(value), tail, std::move(owner)});
  }
  void Delete(Column column, std::string key) {
    bytes_ += key.size();
    entries_.push_back({.column = column, .key = std::move(key), .value = std::nullopt});
  }
  // Deletes all keys below `key`, as one entry. Later additions stay.
  void DeleteBelow(Column column, std::string key) {
    bytes_ += key.size();
    entries_.push_back({.column = column, .key = std::move(key), .value = std::nullopt, .all_below = true});
  }

  bool empty() const { return entries_.empty(); }
  // Of all keys and values.
  size_t bytes() const { return bytes_; }
  // Of the blocks that are put.
  size_t block_bytes() const { return block_bytes_; }

 private:
  friend class Database;
  struct Entry {
    Column column;
    std::string key;
    std::optional<std::string> value;  // nullopt: the key is deleted
    ByteSpan tail = {};                // of the value
    std::shared_ptr<const void> owner = nullptr;
    bool all_below = false;  // the keys below it instead of the key
  };
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
  size_t block_bytes_ = 0;
};

// Thread-safe. Errors name the operation and the folder, in the system's words: kNotFound, kDataLoss (damaged data; the
// message says what to do next), kResourceExhausted (no space), kUnavailable (another failure of the disk), kCancelled
// (the stop of the options was requested).
class Database {
 public:
  // kNotFound: there is no database and `create` is false.
  static absl::StatusOr<std::unique_ptr<Database>> Open(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // nullopt: there is no such key.
  absl::StatusOr<std::optional<std::string>> Get(Column column, absl::string_view key) const;

  // Calls visit(key, value) in ascending order from `first`, or descending from `last`, both included, until it returns
  // false. `visit` must not call the database.
  using Visit = std::function<bool(absl::string_view key, absl::string_view value)>;
  absl::Status Scan(Column column, absl::string_view first, const Visit& visit) const;
  absl::Status ScanBackwards(Column column, absl::string_view last, const Visit& visit) const;

  // Writes the batch with fsync. On an error, or after a crash, nothing of it is written; but blocks of direct_bytes or
  // more may be there without the rest. They go directly to their file, and not through the log as well, as long as
  // there are fewer files than direct_files. An empty batch
  // checks whether writing is possible: the disk has space, and the folder is the one that was opened.
  absl::Status Write(const WriteSet& writes);

  // Reopens the database after a failed write. OK: the next write may succeed. While it cannot be reopened, reads fail,
  // too.
  absl::Status Recover();

  // Messages for people about data that could not be read and was dropped when the database was opened.
  const std::vector<std::string>& losses() const { return losses_; }

  // Returns the space of deleted data to the file system; takes a while.
  absl::Status Compact();
  // The same for what DeleteBelow has deleted. Fast, since it reads and writes keys but no blocks.
  absl::Status CompactBelow(Column column, absl::string_view key);

  // Reads all tables and verifies their checksums. A scan does not find every error: RocksDB may treat a table with an
  // unreadable first block as empty.
  absl::Status VerifyTables() const;

  // Approximate bytes on disk of one column.
  uint64_t DiskBytes(Column column) const;
  // What RocksDB holds in memory: rows that are not in a table yet, and cached parts of tables, whose number it does
  // not tell.
  metrics::FootprintList caches() const;

  const std::string& path() const { return options_.path; }
  // OK, or kCancelled when the stop was requested. For loops over many reads.
  absl::Status CheckStop() const;

 private:
  explicit Database(DatabaseOptions options);

  // Writes those entries of the batch that `takes` selects.
  absl::Status WriteSome(const WriteSet& writes, const std::function<bool(Column)>& takes, bool logged)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Writes the blocks of the batch to a file of their own.
  absl::Status WriteDirectly(const WriteSet& writes) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Enlarges buffers and log, so that a file of blocks has several large ones. Lasts until the database is closed.
  absl::Status CollectBlocks() ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  absl::Status OpenFiles(bool create) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckSpace() const;
  // OK when the folder at the path is still the one that was opened, with its files.
  absl::Status CheckFolder() const;
  // Converts RocksDB's status.
  absl::Status ToStatus(const rocksdb::Status& status, absl::string_view what) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Rewrites the files of blocks when most of their content is deleted and there is space.
  absl::Status CollectGarbage() ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Whether the disk takes writes: writes a file and removes it.
  absl::Status Probe() const;
  void CloseFiles() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Walk(Column column, absl::string_view from, bool backwards, const Visit& visit) const;
  rocksdb::ColumnFamilyHandle* Handle(Column column) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return handles_[static_cast<size_t>(column)];
  }
  // A property of RocksDB, in bytes or as a number; 0: unknown.
  uint64_t Property(Column column, const std::string& name) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status CompactRange(rocksdb::CompactRangeOptions options, Column column, const rocksdb::Slice* end)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // Identifies a folder, so that another one with the same name is noticed.
  struct FolderId {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FolderId&, const FolderId&) = default;
  };
  static std::optional<FolderId> IdOf(const std::string& path);

  const DatabaseOptions options_;
  std::optional<FolderId> folder_;                           // of the opened folder
  std::vector<std::string> losses_;                          // when it was first opened
  mutable SharedMutex mutex_;                                // taken exclusively to open and close the files
  std::unique_ptr<rocksdb::DB> db_ ABSL_GUARDED_BY(mutex_);  // null when it could not be reopened
  std::atomic<size_t> direct_writes_ = 0;                    // since all columns were moved from the log to tables
  std::shared_ptr<rocksdb::WriteBufferManager> buffers_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> collects_blocks_ = false;  // CollectBlocks has been called
  std::atomic<bool> failed_ = false;           // a write has failed: the database is reopened before the next write
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> handles_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_DATABASE_H_
