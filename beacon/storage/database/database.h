// RocksDB as this project uses it: six columns, atomic batches, and a way back after the disk failed.
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
#include "common/concurrency/mutex.h"

// RocksDB's headers stay out of ours.
namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Slice;
class Status;
struct CompactRangeOptions;
}  // namespace rocksdb

namespace lean::beacon {

enum class Column {
  kMeta,       // names to what the folder is, and checkpoints
  kSlots,      // root of every block ever imported -> slot
  kBlocks,     // slot and root -> signed block
  kCanonical,  // slot -> root, for the finalized chain
  kStates,     // slot and root -> snapshot of a finalized state
  kVotes,      // validator -> its newest vote from gossip
};
inline constexpr size_t kColumns = 6;
absl::string_view ColumnName(Column column);

inline constexpr uint64_t kMinFreeBytes = uint64_t{64} << 20;

struct DatabaseOptions {
  std::string path;             // a folder
  bool create = false;          // make it when it is not there
  bool read_only = false;       // change nothing, not even by recovery from the log
  rocksdb::Env* env = nullptr;  // where the files are; null: the machine's own. Outlives the database.
  // Nothing is written when the disk has less room than this. RocksDB moves what it has about, and Debian's is built
  // with assertions, some of which do not survive a disk that becomes full under it.
  uint64_t min_free_bytes = kMinFreeBytes;
  // Once it is requested, what reads or rewrites much ends soon, with kCancelled; single reads and writes go on.
  std::stop_token stop = {};
};

// What is written at once: all of it, or nothing.
class WriteSet {
 public:
  void Put(Column column, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    entries_.push_back({column, std::move(key), std::move(value)});
  }
  void Delete(Column column, std::string key) {
    bytes_ += key.size();
    entries_.push_back({column, std::move(key), std::nullopt});
  }
  // All keys below `key`, as one entry however many they are. What is put afterwards stays.
  void DeleteBelow(Column column, std::string key) {
    bytes_ += key.size();
    entries_.push_back({column, std::move(key), std::nullopt, /*all_below=*/true});
  }

  bool empty() const { return entries_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  friend class Database;
  struct Entry {
    Column column;
    std::string key;
    std::optional<std::string> value;  // nullopt: the key is deleted
    bool all_below = false;            // not the key, but those below it
  };
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

// Thread-safe. Errors say what failed and in which folder, in the system's words: kNotFound, kDataLoss (what is read is
// not what was written; the next step is told), kResourceExhausted (no space), kUnavailable (the disk failed
// otherwise), kCancelled (the stop of the options was requested).
class Database {
 public:
  // kNotFound: there is none and `create` is not set.
  static absl::StatusOr<std::unique_ptr<Database>> Open(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // nullopt: no such key.
  absl::StatusOr<std::optional<std::string>> Get(Column column, absl::string_view key) const;

  // Calls visit(key, value) in the order of keys from `first` on, or backwards from `last` on, these included, until it
  // returns false. `visit` must not call the database.
  using Visit = std::function<bool(absl::string_view key, absl::string_view value)>;
  absl::Status Scan(Column column, absl::string_view first, const Visit& visit) const;
  absl::Status ScanBackwards(Column column, absl::string_view last, const Visit& visit) const;

  // On disk, fsync included, when it returns OK; not at all otherwise. An empty set finds out whether something could
  // be written: the disk has room, and the folder is the one that was opened.
  absl::Status Write(const WriteSet& writes);

  // After a write that failed: makes the database writable again, once the disk takes something, by opening it anew.
  // OK: the next write may succeed. If it cannot be opened, reads fail, too, until it can.
  absl::Status Recover();

  // What was dropped when it was opened, since it could not be read: sentences for people.
  const std::vector<std::string>& losses() const { return losses_; }

  // Gives space of what was deleted back to the disk; takes a while.
  absl::Status Compact();
  // The same for what DeleteBelow took. Reads and writes keys, not blocks, so that it takes little.
  absl::Status CompactBelow(Column column, absl::string_view key);

  // Reads all tables and compares their checksums. A scan does not tell of every one that is wrong: RocksDB may pass
  // over a table whose first block cannot be read as if it held nothing.
  absl::Status VerifyTables() const;

  // Bytes on disk of one column, about.
  uint64_t DiskBytes(Column column) const;

  const std::string& path() const { return options_.path; }
  // OK, or kCancelled: for those who read much, one by one.
  absl::Status CheckStop() const;

 private:
  explicit Database(DatabaseOptions options);

  absl::Status OpenFiles(bool create) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckSpace() const;
  // OK when the folder under our path is the one that was opened, with its files in it.
  absl::Status CheckFolder() const;
  // RocksDB's status as ours.
  absl::Status ToStatus(const rocksdb::Status& status, absl::string_view what) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Writes blocks anew, when much of their files is what was deleted, and there is room for it.
  absl::Status CollectGarbage() ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Whether the disk takes a file: writes one, and removes it.
  absl::Status Probe() const;
  void CloseFiles() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Walk(Column column, absl::string_view from, bool backwards, const Visit& visit) const;
  rocksdb::ColumnFamilyHandle* Handle(Column column) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return handles_[static_cast<size_t>(column)];
  }
  // What RocksDB says of itself, in bytes; 0 if it does not.
  uint64_t Property(Column column, const std::string& name) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status CompactRange(rocksdb::CompactRangeOptions options, Column column, const rocksdb::Slice* end)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // What tells a folder from another one of the same name.
  struct FolderId {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FolderId&, const FolderId&) = default;
  };
  static std::optional<FolderId> IdOf(const std::string& path);

  const DatabaseOptions options_;
  std::optional<FolderId> folder_;                           // as it was opened
  std::vector<std::string> losses_;                          // of the first opening
  mutable SharedMutex mutex_;                                // writers are those that open and close the files
  std::unique_ptr<rocksdb::DB> db_ ABSL_GUARDED_BY(mutex_);  // null when it could not be opened anew
  std::atomic<bool> failed_ = false;  // a write failed: RocksDB is not asked to write before it was opened anew
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> handles_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_DATABASE_H_
