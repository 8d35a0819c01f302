#include "validator_client/signing/records/records_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

int64_t ToColumn(uint64_t value) { return static_cast<int64_t>(value); }

template <typename B>
B FixedBytes(ByteSpan bytes) {
  B fixed;
  std::copy_n(bytes.begin(), std::min(bytes.size(), fixed.data.size()), fixed.data.begin());
  return fixed;
}

// The checks in the schema guarantee that roots have 32 bytes.
std::optional<Root> RootOf(const sqlite::Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return FixedBytes<Root>(row.Blob(column));
}

// "LSGR". Tells our files from those of other programs that use SQLite.
constexpr int64_t kApplicationId = 0x4c534752;
constexpr int64_t kSchemaVersion = 1;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOthers = 0077;
constexpr int64_t kSynchronousExtra = 3;

// Leaves are ordered by slot, not by key, so that a duty with a thousand keys writes a few adjacent pages.
constexpr char kSchema[] = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE keys(
    id INTEGER PRIMARY KEY,
    pubkey BLOB NOT NULL UNIQUE CHECK(length(pubkey) = 52),
    highest_slot INTEGER NOT NULL CHECK(highest_slot >= 0)
  ) STRICT;
  CREATE TABLE leaves(
    slot INTEGER NOT NULL CHECK(slot >= 0),
    key INTEGER NOT NULL REFERENCES keys(id),
    root BLOB CHECK(root IS NULL OR length(root) = 32),
    PRIMARY KEY(slot, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE last_writer(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    machine TEXT NOT NULL,
    boot TEXT NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    uptime_ms INTEGER NOT NULL
  ) STRICT;
  PRAGMA application_id = 1280526162;
  PRAGMA user_version = 1;
  COMMIT;
)";
static_assert(kApplicationId == 1280526162 && kSchemaVersion == 1, "as the schema writes them");

absl::Status SyncFolder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", folder.string()));
  absl::Status status;
  if (fsync(descriptor) != 0) status = absl::ErrnoToStatus(errno, absl::StrCat("cannot sync ", folder.string()));
  close(descriptor);
  return status;
}

// SQLite would create the file with a mode that depends on the umask. It gives the journal the mode of the database.
absl::Status CreateFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  close(descriptor);
  return SyncFolder(std::filesystem::absolute(path).parent_path());
}

absl::Status CheckFile(const std::string& path, bool create) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
    if (create) return CreateFile(path);
    return absl::NotFoundError(absl::StrCat("there are no signing records at ", path));
  }
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  if ((info.st_mode & kOthers) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path, " is open to group or others: chmod 600 ", path));
  }
  return absl::OkStatus();
}

// Checks whose database it is, before anything is written to it. True: it has no tables yet.
absl::StatusOr<bool> CheckOwner(sqlite::Connection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t application, connection.QueryInt("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, connection.QueryInt("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const int64_t tables, connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && tables == 0) return true;
  if (application != kApplicationId) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a database of another program, not of signing records"));
  }
  if (version != kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(path, " has schema version ", version, ", this program knows ",
                                                      kSchemaVersion,
                                                      ": use the newer version of it that wrote the file"));
  }
  return false;
}

absl::Status Configure(sqlite::Connection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string mode, connection.QueryText("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::InternalError(absl::StrCat(path, " cannot be used in WAL mode, SQLite chose ", mode));
  }
  RETURN_IF_ERROR(connection.Execute("PRAGMA synchronous=EXTRA"));
  ASSIGN_OR_RETURN(const int64_t synchronous, connection.QueryInt("PRAGMA synchronous"));
  if (synchronous != kSynchronousExtra) {
    return absl::InternalError(absl::StrCat(path, ": SQLite has synchronous=", synchronous, ", not ", kSynchronousExtra,
                                            ": a commit would not be durable"));
  }
  return absl::OkStatus();
}

// The journal that a killed process left, or that follows a failed sync, may be only in the system's cache. Moves it
// into the database and syncs it, so that everything is on the disk before it is the reason for a grant.
absl::Status FlushJournal(sqlite::Connection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t busy, connection.QueryInt("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != 0) return absl::UnavailableError(absl::StrCat(path, " is in use by another program: close it first"));
  return absl::OkStatus();
}

absl::Status CheckContent(sqlite::Connection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string result, connection.QueryText("PRAGMA quick_check(1)"));
  if (result == "ok") return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, " is damaged: import the last export into a new database (", result, ")"));
}

absl::StatusOr<std::unique_ptr<sqlite::Connection>> OpenRecordsFile(const std::string& path, bool create) {
  RETURN_IF_ERROR(CheckFile(path, create));
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Connection> opened, sqlite::Connection::Open(path));
  sqlite::Connection& connection = *opened;
  // Excludes other processes, including those that do not know our lock file. Needs no shared memory file.
  RETURN_IF_ERROR(connection.Execute("PRAGMA locking_mode=EXCLUSIVE"));
  ASSIGN_OR_RETURN(const bool empty, CheckOwner(connection, path));
  RETURN_IF_ERROR(Configure(connection, path));
  if (empty) {
    RETURN_IF_ERROR(connection.Execute(kSchema));
  }
  RETURN_IF_ERROR(FlushJournal(connection, path));
  RETURN_IF_ERROR(CheckContent(connection, path));
  return opened;
}

}  // namespace

absl::StatusOr<FileIdentity> FileIdentity::Of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  return FileIdentity{info.st_dev, info.st_ino};
}

absl::StatusOr<std::unique_ptr<RecordsDatabase>> RecordsDatabase::Open(const std::string& path, bool create) {
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Connection> connection, OpenRecordsFile(path, create));
  std::unique_ptr<RecordsDatabase> database(new RecordsDatabase(std::move(connection)));
  RETURN_IF_ERROR(database->PrepareStatements());
  return database;
}

absl::Status RecordsDatabase::PrepareStatements() {
  const std::pair<sqlite::Statement*, const char*> statements[] = {
      {&find_key_, "SELECT id, highest_slot FROM keys WHERE pubkey = ?1"},
      {&add_key_, "INSERT INTO keys(pubkey, highest_slot) VALUES(?1, ?2)"},
      {&set_highest_slot_, "UPDATE keys SET highest_slot = ?2 WHERE id = ?1 AND highest_slot <= ?2"},
      {&find_leaf_, "SELECT root FROM leaves WHERE slot = ?2 AND key = ?1"},
      {&roots_from_, "SELECT root FROM leaves WHERE slot >= ?1 AND root IS NOT NULL ORDER BY slot LIMIT ?2"},
      {&put_leaf_,
       "INSERT INTO leaves(key, slot, root) VALUES(?1, ?2, ?3) "
       "ON CONFLICT(slot, key) DO UPDATE SET root = excluded.root"},
      {&prune_,
       "DELETE FROM leaves WHERE slot >= ?1 AND slot < ?2 AND slot + ?3 <= "
       "(SELECT highest_slot FROM keys WHERE keys.id = leaves.key)"},
      {&set_last_writer_,
       "INSERT INTO last_writer(id, machine, boot, device, inode, uptime_ms) "
       "VALUES(1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE SET machine = excluded.machine, "
       "boot = excluded.boot, device = excluded.device, inode = excluded.inode, "
       "uptime_ms = excluded.uptime_ms"},
  };
  for (const auto& [statement, sql] : statements) {
    ASSIGN_OR_RETURN(sqlite::Statement prepared, connection_->Prepare(sql));
    *statement = std::move(prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RecordsDatabase::Key>> RecordsDatabase::FindKey(const PublicKeyBytes& pubkey) {
  find_key_.BindBlob(1, pubkey.span());
  ASSIGN_OR_RETURN(const bool row, find_key_.Step());
  std::optional<Key> key;
  if (row) key = Key{find_key_.Int(0), static_cast<uint64_t>(find_key_.Int(1))};
  find_key_.Reset();
  return key;
}

absl::StatusOr<RecordsDatabase::Key> RecordsDatabase::AddKey(const PublicKeyBytes& pubkey, uint64_t highest_slot) {
  add_key_.BindBlob(1, pubkey.span());
  add_key_.Bind(2, ToColumn(highest_slot));
  RETURN_IF_ERROR(add_key_.Run());
  return Key{connection_->last_insert_id(), highest_slot};
}

absl::Status RecordsDatabase::SetHighestSlot(int64_t key, uint64_t slot) {
  set_highest_slot_.Bind(1, key);
  set_highest_slot_.Bind(2, ToColumn(slot));
  return set_highest_slot_.Run();
}

absl::StatusOr<std::optional<RecordsDatabase::KeptLeaf>> RecordsDatabase::FindLeaf(int64_t key, uint64_t slot) {
  find_leaf_.Bind(1, key);
  find_leaf_.Bind(2, ToColumn(slot));
  ASSIGN_OR_RETURN(const bool row, find_leaf_.Step());
  std::optional<KeptLeaf> leaf;
  if (row) leaf = KeptLeaf{RootOf(find_leaf_, 0)};
  find_leaf_.Reset();
  return leaf;
}

absl::StatusOr<std::vector<Root>> RecordsDatabase::RootsFrom(uint64_t from_slot, size_t limit) {
  roots_from_.Bind(1, ToColumn(from_slot));
  roots_from_.Bind(2, static_cast<int64_t>(limit));
  std::vector<Root> roots;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, roots_from_.Step());
    if (!row) break;
    roots.push_back(FixedBytes<Root>(roots_from_.Blob(0)));
  }
  roots_from_.Reset();
  return roots;
}

absl::Status RecordsDatabase::PutLeaf(int64_t key, const SignedLeaf& leaf) {
  put_leaf_.Bind(1, key);
  put_leaf_.Bind(2, ToColumn(leaf.slot));
  if (leaf.root.has_value()) {
    put_leaf_.BindBlob(3, leaf.root->span());
  } else {
    put_leaf_.BindNull(3);
  }
  return put_leaf_.Run();
}

absl::Status RecordsDatabase::Prune(uint64_t from, uint64_t end) {
  prune_.Bind(1, ToColumn(from));
  prune_.Bind(2, ToColumn(end));
  prune_.Bind(3, ToColumn(kKeptSlots));
  return prune_.Run();
}

absl::StatusOr<std::optional<LastWriter>> RecordsDatabase::GetLastWriter() {
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   connection_->Prepare("SELECT machine, boot, device, inode, uptime_ms FROM last_writer"));
  ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::nullopt;
  return LastWriter{select.Text(0), select.Text(1), static_cast<dev_t>(select.Int(2)),
                    static_cast<ino_t>(select.Int(3)), select.Int(4)};
}

absl::Status RecordsDatabase::SetLastWriter(const LastWriter& writer) {
  set_last_writer_.BindText(1, writer.machine);
  set_last_writer_.BindText(2, writer.boot);
  set_last_writer_.Bind(3, ToColumn(writer.device));
  set_last_writer_.Bind(4, ToColumn(writer.inode));
  set_last_writer_.Bind(5, writer.uptime_ms);
  return set_last_writer_.Run();
}

absl::StatusOr<std::vector<KeyHistory>> RecordsDatabase::Histories() {
  ASSIGN_OR_RETURN(sqlite::Statement keys,
                   connection_->Prepare("SELECT id, pubkey, highest_slot FROM keys ORDER BY pubkey"));
  std::vector<KeyHistory> histories;
  std::vector<uint64_t> highest_slots;
  absl::flat_hash_map<int64_t, size_t> places;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, keys.Step());
    if (!row) break;
    places[keys.Int(0)] = histories.size();
    histories.push_back(KeyHistory{FixedBytes<PublicKeyBytes>(keys.Blob(1)), {}});
    highest_slots.push_back(static_cast<uint64_t>(keys.Int(2)));
  }
  // Reads the table in its own order. A join would read the whole table for each key, while nothing can be signed.
  ASSIGN_OR_RETURN(sqlite::Statement leaves,
                   connection_->Prepare("SELECT key, slot, root FROM leaves ORDER BY slot, key"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, leaves.Step());
    if (!row) break;
    const auto place = places.find(leaves.Int(0));
    if (place == places.end()) continue;
    histories[place->second].leaves.push_back(SignedLeaf{static_cast<uint64_t>(leaves.Int(1)), RootOf(leaves, 2)});
  }
  for (size_t i = 0; i < histories.size(); ++i) {
    std::vector<SignedLeaf>& kept = histories[i].leaves;
    if (kept.empty() || kept.back().slot < highest_slots[i]) kept.push_back(SignedLeaf{highest_slots[i], std::nullopt});
  }
  return histories;
}

}  // namespace lean::validator
