// Keys that are about to leave, and their signing records, which go with them.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_RECORDS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "validator_client/keystore_list.h"
#include "validator_client/signing_records/key_locks.h"
#include "validator_client/signing_records/sqlite_signing_records.h"

namespace lean::validator {

struct KeyRecordsOptions {
  std::string database;
  bool never_signed = false;  // the keys have no database, since they have signed nothing
};

// Holds the locks of key folders and database, so that nothing signs with the keys from Open on. Move-only.
class KeyRecords {
 public:
  // FailedPrecondition: a running client has the folder or the database; its process id is named. NotFound: no
  // database, unless `never_signed`.
  static absl::StatusOr<KeyRecords> Open(const std::vector<KeystoreEntry>& keys, const KeyRecordsOptions& options);

  // Writes the records of `keys` to a new file (0600, on the disk when this returns) that `records import` reads.
  // The number of keys that have records. AlreadyExists: there is such a file.
  absl::StatusOr<size_t> Export(const std::vector<KeystoreEntry>& keys, const std::string& file);

 private:
  KeyRecords() = default;

  std::vector<ProcessLock> folders_;
  std::unique_ptr<SqliteSigningRecords> records_;  // null: the keys have never signed
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_RECORDS_H_
