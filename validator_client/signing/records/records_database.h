// The tables of signing records in one SQLite file, and the settings that make a commit durable.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_DATABASE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_DATABASE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/sqlite.h"

namespace lean::validator {

// Leaves of a key whose roots are kept: those of the slots from highest - kKeptSlots + 1 on. Below them, and where no
// root is kept, every root is refused, so nothing is lost but the right to give the same signature again.
inline constexpr uint64_t kKeptSlots = 32;

// Who wrote the last record. A file that was copied has another device and inode than those in it.
struct LastWriter {
  std::string machine;
  std::string boot;
  dev_t device = 0;
  ino_t inode = 0;
  int64_t uptime_ms = 0;  // of that boot, when it wrote
};

// Which file a path leads to.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  static absl::StatusOr<FileIdentity> Of(const std::string& path);
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Not thread-safe. Its owner holds the lock file. After any error the object is to be thrown away: what the file then
// holds is known only by opening it again. Errors are those of sqlite::Connection.
class RecordsDatabase {
 public:
  struct Key {
    int64_t id = 0;
    uint64_t highest_slot = 0;  // signed, or known to be signed
  };
  // A leaf of a key at or below its highest slot.
  struct KeptLeaf {
    std::optional<Root> root;  // the only one that may sign it again; nullopt: none may
  };

  // Opens the file, in WAL mode with synchronous=EXTRA, or fails. With `create`, makes one that is not there, with mode
  // 0600. Whatever an earlier process left in the journal has reached the disk when this returns.
  // kNotFound: no file. kPermissionDenied: open to group or others, or not writable. kInvalidArgument: no database, or
  // that of another program. kFailedPrecondition: made by a newer version of this program. kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<RecordsDatabase>> Open(const std::string& path, bool create);

  absl::Status Begin() { return connection_->Execute("BEGIN IMMEDIATE"); }
  // Durable once it returns OK.
  absl::Status Commit() { return connection_->Execute("COMMIT"); }
  absl::Status Rollback() { return connection_->Execute("ROLLBACK"); }

  absl::StatusOr<std::optional<Key>> FindKey(const PublicKeyBytes& pubkey);
  absl::StatusOr<Key> AddKey(const PublicKeyBytes& pubkey, uint64_t highest_slot);
  absl::Status SetHighestSlot(int64_t key, uint64_t slot);
  // nullopt: none is kept.
  absl::StatusOr<std::optional<KeptLeaf>> FindLeaf(int64_t key, uint64_t slot);
  // Of leaves of `from_slot` and later, of all keys, lowest slots first; at most `limit`.
  absl::StatusOr<std::vector<Root>> RootsFrom(uint64_t from_slot, size_t limit);
  // Adds it, or replaces the root that is kept for it.
  absl::Status PutLeaf(int64_t key, const SignedLeaf& leaf);
  // Of all leaves below `slot`, drops those that their keys need not keep.
  absl::Status Prune(uint64_t slot);

  absl::StatusOr<std::optional<LastWriter>> GetLastWriter();
  absl::Status SetLastWriter(const LastWriter& writer);
  absl::Status ClearLastWriter() { return connection_->Execute("DELETE FROM last_writer"); }

  // Every key with its kept leaves, keys in the order of their bytes, leaves by slot. The highest slot always has one.
  absl::Status ForEachHistory(const std::function<void(KeyHistory)>& visit);

 private:
  explicit RecordsDatabase(std::unique_ptr<sqlite::Connection> connection) : connection_(std::move(connection)) {}

  absl::Status PrepareStatements();

  const std::unique_ptr<sqlite::Connection> connection_;
  sqlite::Statement find_key_;
  sqlite::Statement add_key_;
  sqlite::Statement set_highest_slot_;
  sqlite::Statement find_leaf_;
  sqlite::Statement roots_from_;
  sqlite::Statement put_leaf_;
  sqlite::Statement prune_;
  sqlite::Statement set_last_writer_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_DATABASE_H_
