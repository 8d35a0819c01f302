#include "validator_client/signing/records/sqlite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::validator::sqlite {
namespace {

absl::Status Error(sqlite3* database, const std::string& path) {
  const int code = sqlite3_extended_errcode(database);
  const std::string detail =
      absl::StrCat(" (SQLite: ", sqlite3_errmsg(database), ", code ", code, ")");  // no user data in it
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": no space is left on its disk: nothing is signed until there is room", detail));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(
          absl::StrCat(path, " cannot be written: check the permissions of the file and of its folder", detail));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(path, " is in use by another program: close it first", detail));
    case SQLITE_NOTADB:
      return absl::InvalidArgumentError(absl::StrCat(path, " is no signing records database", detail));
    case SQLITE_CORRUPT:
      return absl::DataLossError(absl::StrCat(path, " is damaged: import the last export into a new database", detail));
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(absl::StrCat(
          path, " cannot be opened: its folder must be there and writable, for the journal beside it", detail));
    case SQLITE_IOERR:
      return absl::InternalError(absl::StrCat(path, ": the disk reports an error", detail));
    default:
      return absl::InternalError(absl::StrCat(path, detail));
  }
}

}  // namespace

void Statement::Bind(int parameter, int64_t value) { sqlite3_bind_int64(statement_.get(), parameter, value); }

void Statement::BindBlob(int parameter, ByteSpan bytes) {
  sqlite3_bind_blob(statement_.get(), parameter, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
}

void Statement::BindText(int parameter, absl::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void Statement::BindNull(int parameter) { sqlite3_bind_null(statement_.get(), parameter); }

absl::StatusOr<bool> Statement::Step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  const absl::Status status = Error(sqlite3_db_handle(statement_.get()), *path_);
  Reset();
  return status;
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

bool Statement::IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

ByteSpan Statement::Blob(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return ByteSpan(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::string Statement::Text(int column) const {
  const ByteSpan bytes = Blob(column);
  return std::string(bytes.begin(), bytes.end());
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &database,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (database == nullptr) return absl::ResourceExhaustedError(absl::StrCat(path, ": no memory to open it"));
  std::unique_ptr<Connection> connection(new Connection(path, database));
  if (result != SQLITE_OK) return Error(database, path);
  return connection;
}

absl::Status Connection::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return Error(database_.get(), path_);
}

absl::StatusOr<Statement> Connection::Prepare(const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) != SQLITE_OK) {
    return Error(database_.get(), path_);
  }
  Statement statement;
  statement.statement_.reset(prepared);
  statement.path_ = &path_;
  return statement;
}

absl::StatusOr<int64_t> Connection::QueryInt(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<std::string> Connection::QueryText(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Text(0) : std::string();
}

}  // namespace lean::validator::sqlite
