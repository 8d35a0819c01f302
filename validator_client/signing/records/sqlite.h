// C++ types for SQLite's C interface: they release their resources and return absl::Status. Written here because
// Debian's C++ wrappers throw exceptions.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "sqlite3.h"

namespace lean::validator::sqlite {

// A prepared statement. It must not outlive its connection. Parameters are numbered from 1, columns from 0. Usage: bind
// all parameters, Step() until it is false, Reset().
class Statement {
 public:
  Statement() = default;

  void Bind(int parameter, int64_t value);
  void BindBlob(int parameter, ByteSpan bytes);  // copied
  void BindText(int parameter, absl::string_view text);
  void BindNull(int parameter);

  // True: there is a row to read. False: the statement is done.
  absl::StatusOr<bool> Step();
  // Runs a statement that returns no rows, and resets it. Bound parameters stay bound.
  absl::Status Run();
  void Reset();

  bool IsNull(int column) const;
  int64_t Int(int column) const;
  // Valid until the next Step or Reset.
  ByteSpan Blob(int column) const;
  std::string Text(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_ = nullptr;
};

// Not thread-safe. Errors name the file and say what to do. kResourceExhausted: the disk is full. kPermissionDenied:
// the file is read-only. kUnavailable: another process has locked it. kDataLoss: it is damaged. kInvalidArgument: it is
// not a database. kInternal: all other errors.
class Connection {
 public:
  // Opens an existing file for reading and writing.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Execute(const char* sql);
  absl::StatusOr<Statement> Prepare(const char* sql);
  // The first column of the first row.
  absl::StatusOr<int64_t> QueryInt(const char* sql);
  absl::StatusOr<std::string> QueryText(const char* sql);

  int64_t last_insert_id() const { return sqlite3_last_insert_rowid(database_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };

  Connection(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}

  const std::string path_;
  const std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace lean::validator::sqlite

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_H_
