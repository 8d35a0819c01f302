// Keys that are about to leave, and their signing records, which go with them.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/keys/keystore_list.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {

struct KeyRecordsOptions {
  std::string database;
  bool never_signed = false;  // the keys have no database, since they have signed nothing
};

// Holds the locks of the keys' folders, of the list's and of the database: from Open on nothing signs with the keys,
// and nobody else changes the list. Move-only.
class KeyRecords {
 public:
  // Of the keys of these validators. FailedPrecondition: a running client has a folder or the database; its process id
  // is named. NotFound: no database, unless `never_signed`; an index is not in the list. Aborted: the list was changed
  // at that very moment.
  static absl::StatusOr<KeyRecords> Open(const std::string& list_file, const std::vector<uint64_t>& indices,
                                         const KeyRecordsOptions& options);

  KeystoreFolder& folder() { return folder_; }
  // Those that leave, in the order of the indices.
  const std::vector<KeystoreEntry>& keys() const { return keys_; }

  // Writes their records to a new file (0600, on the disk when this returns) that `records import` reads. The number of
  // keys that have records. AlreadyExists: there is such a file.
  absl::StatusOr<size_t> Export(const std::string& file);

 private:
  KeyRecords(std::vector<ProcessLock> locks, KeystoreFolder folder, std::vector<KeystoreEntry> keys)
      : locks_(std::move(locks)), folder_(std::move(folder)), keys_(std::move(keys)) {}

  std::vector<ProcessLock> locks_;
  KeystoreFolder folder_;
  std::vector<KeystoreEntry> keys_;
  std::unique_ptr<SqliteSigningRecords> records_;  // null: the keys have never signed
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_RECORDS_H_
