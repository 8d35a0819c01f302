// The tables of signing records in one SQLite file, and the settings that make a commit durable.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_DATABASE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_DATABASE_H_

#include <sys/types.h>

#include <cstdint>
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

// The number of newest slots of a key whose roots are kept, counted back from its highest slot. A leaf without a kept
// root is refused for all roots, so pruning only prevents that the same signature is made again.
inline constexpr uint64_t kKeptSlots = 32;

// The process that wrote the last record. A copied file has another device and inode than those stored in it.
struct LastWriter {
  std::string machine;
  std::string boot;
  dev_t device = 0;
  ino_t inode = 0;
  int64_t uptime_ms = 0;  // since that boot, at the last write
};

// Identifies the file at a path.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  static absl::StatusOr<FileIdentity> Of(const std::string& path);
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Not thread-safe. The owner holds the lock file. After any error, destroy the object and open the file again: only
// then is the content of the file known. Errors are those of sqlite::Connection.
class RecordsDatabase {
 public:
  struct Key {
    int64_t id = 0;
    uint64_t highest_slot = 0;  // signed, or known to be signed
  };
  // A recorded leaf of a key.
  struct KeptLeaf {
    std::optional<Root> root;  // the only root that the leaf may sign again; nullopt: it may sign none
  };

  // Opens the file in WAL mode with synchronous=EXTRA. With `create`, creates a missing file with mode 0600. When this
  // returns, the journal that an earlier process left is on the disk. kNotFound: no file. kPermissionDenied: accessible
  // to group or others, or not writable. kInvalidArgument: not a database, or one of another program.
  // kFailedPrecondition: made by a newer version of this program. kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<RecordsDatabase>> Open(const std::string& path, bool create);

  absl::Status Begin() { return connection_->Execute("BEGIN IMMEDIATE"); }
  // Durable once it returns OK.
  absl::Status Commit() { return connection_->Execute("COMMIT"); }
  absl::Status Rollback() { return connection_->Execute("ROLLBACK"); }

  absl::StatusOr<std::optional<Key>> FindKey(const PublicKeyBytes& pubkey);
  absl::StatusOr<Key> AddKey(const PublicKeyBytes& pubkey, uint64_t highest_slot);
  absl::Status SetHighestSlot(int64_t key, uint64_t slot);
  // nullopt: the leaf is not kept.
  absl::StatusOr<std::optional<KeptLeaf>> FindLeaf(int64_t key, uint64_t slot);
  // The kept roots of all keys from `from_slot` on, lowest slots first; at most `limit`.
  absl::StatusOr<std::vector<Root>> RootsFrom(uint64_t from_slot, size_t limit);
  // Adds the leaf, or replaces its root.
  absl::Status PutLeaf(int64_t key, const SignedLeaf& leaf);
  // Deletes leaves from slot `from` to before `end` that are older than the newest kKeptSlots of their key. Reads all
  // leaves of these slots.
  absl::Status Prune(uint64_t from, uint64_t end);

  absl::StatusOr<std::optional<LastWriter>> GetLastWriter();
  absl::Status SetLastWriter(const LastWriter& writer);
  absl::Status ClearLastWriter() { return connection_->Execute("DELETE FROM last_writer"); }

  // All keys with their kept leaves: keys in the order of their bytes, leaves by slot. The leaf of the highest slot is
  // always there.
  absl::StatusOr<std::vector<KeyHistory>> Histories();

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
