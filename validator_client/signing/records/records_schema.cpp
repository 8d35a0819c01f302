#include "validator_client/signing/records/records_schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lean::validator {
namespace {

// "LSGR". Tells our files from those of other programs that use SQLite.
constexpr int64_t kApplicationId = 0x4c534752;
constexpr int64_t kSchemaVersion = 1;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOthers = 0077;
constexpr int64_t kSynchronousExtra = 3;

// Leaves lie by slot, not by key, so that a duty of a thousand keys writes a few pages in one place.
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

// SQLite would make it with the mode that the umask leaves, and gives its journal the mode of the database.
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

// Before anything is written to it. True: it has no tables yet.
absl::StatusOr<bool> CheckOwner(sqlite::Connection& connection, const std::string& path) {
  const absl::StatusOr<int64_t> application = connection.QueryInt("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const absl::StatusOr<int64_t> version = connection.QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const absl::StatusOr<int64_t> tables = connection.QueryInt("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application == 0 && *version == 0 && *tables == 0) return true;
  if (*application != kApplicationId) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no signing records database: it is another program's"));
  }
  if (*version != kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(path, " has schema version ", *version, ", this program knows ",
                                                      kSchemaVersion,
                                                      ": use the newer version of it that wrote the file"));
  }
  return false;
}

absl::Status Configure(sqlite::Connection& connection, const std::string& path) {
  const absl::StatusOr<std::string> mode = connection.QueryText("PRAGMA journal_mode=WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") {
    return absl::InternalError(absl::StrCat(path, " cannot be used in WAL mode, SQLite chose ", *mode));
  }
  if (absl::Status status = connection.Execute("PRAGMA synchronous=EXTRA"); !status.ok()) return status;
  const absl::StatusOr<int64_t> synchronous = connection.QueryInt("PRAGMA synchronous");
  if (!synchronous.ok()) return synchronous.status();
  if (*synchronous != kSynchronousExtra) {
    return absl::InternalError(absl::StrCat(path, ": SQLite has synchronous=", *synchronous, ", not ",
                                            kSynchronousExtra, ": a commit would not be durable"));
  }
  return absl::OkStatus();
}

// What a killed process left in the journal may be in the system's cache only; so is what follows a failed sync. Moved
// into the database and synced, it is on the disk before anything is granted because of it.
absl::Status FlushJournal(sqlite::Connection& connection, const std::string& path) {
  const absl::StatusOr<int64_t> busy = connection.QueryInt("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy.ok()) return busy.status();
  if (*busy != 0) return absl::UnavailableError(absl::StrCat(path, " is in use by another program: close it first"));
  return absl::OkStatus();
}

absl::Status CheckContent(sqlite::Connection& connection, const std::string& path) {
  const absl::StatusOr<std::string> result = connection.QueryText("PRAGMA quick_check(1)");
  if (!result.ok()) return result.status();
  if (*result == "ok") return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, " is damaged: import the last export into a new database (", *result, ")"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<sqlite::Connection>> OpenRecordsFile(const std::string& path, bool create) {
  if (absl::Status status = CheckFile(path, create); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> opened = sqlite::Connection::Open(path);
  if (!opened.ok()) return opened;
  sqlite::Connection& connection = **opened;
  // No second process, even one that does not know our lock file; and no shared memory file beside the database.
  if (absl::Status status = connection.Execute("PRAGMA locking_mode=EXCLUSIVE"); !status.ok()) return status;
  const absl::StatusOr<bool> empty = CheckOwner(connection, path);
  if (!empty.ok()) return empty.status();
  if (absl::Status status = Configure(connection, path); !status.ok()) return status;
  if (*empty) {
    if (absl::Status status = connection.Execute(kSchema); !status.ok()) return status;
  }
  if (absl::Status status = FlushJournal(connection, path); !status.ok()) return status;
  if (absl::Status status = CheckContent(connection, path); !status.ok()) return status;
  return opened;
}

}  // namespace lean::validator
