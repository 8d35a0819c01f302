// `lean-validator keys export` and `keys delete`: keys leave together with their signing records.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {

struct KeyRecordsOptions {
  std::string database;
  bool never_signed = false;  // the keys have signed nothing and have no database
};

// Keys that are about to leave, and their signing records. Holds the locks of the keys' folders, of the list's and of
// the database: from Open on no process signs with the keys or changes the list. Move-only.
class KeyRecords {
 public:
  // Opens the keys of these validators. FailedPrecondition: a running client has locked a folder or the database; the
  // error names its process id. NotFound: no database, unless `never_signed`; the list lacks an index. Aborted: the
  // list was changed meanwhile.
  static absl::StatusOr<KeyRecords> Open(const std::string& list_file, const std::vector<uint64_t>& indices,
                                         const KeyRecordsOptions& options);

  KeystoreFolder& folder() { return folder_; }
  // The keys that leave, in the order of the indices.
  const std::vector<KeystoreEntry>& keys() const { return keys_; }

  // Their records, one for each of keys() and in its order; empty for a key that has signed nothing.
  absl::StatusOr<std::vector<KeyHistory>> Read();

  // nullopt: the key has no records.
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey);

 private:
  KeyRecords(std::vector<ProcessLock> locks, KeystoreFolder folder, std::vector<KeystoreEntry> keys)
      : locks_(std::move(locks)), folder_(std::move(folder)), keys_(std::move(keys)) {}

  std::vector<ProcessLock> locks_;
  KeystoreFolder folder_;
  std::vector<KeystoreEntry> keys_;
  std::unique_ptr<SqliteSigningRecords> records_;  // null: the keys have signed nothing
};

struct KeysExportOptions {
  std::string keystores;
  std::vector<uint64_t> indices;
  KeyRecordsOptions records;
  std::string output;              // a folder, new or empty and private; with_records: a new file
  PasswordSource source_password;  // of key files that are encrypted
  KeyProtection protection;        // of the copies
  bool with_records = false;       // one file with keys and records (KeyBundle); `protection` has a password
  bool as_hash_sig_keys = false;   // plain copies for other clients; `protection` has no password
  xmss::KeyGenerationOptions trees = {};
  std::stop_token stop = {};  // requested: no further key is exported, and the result is CANCELLED
};

// `keys export`: copies keys for another machine, encrypted anew. With `with_records` writes one file that has both the
// keys and their records, or none at all. Otherwise writes DIR/records.json, then key files that are flagged for
// recovery only, because they can be separated from it, and DIR/keystores.yaml; or the files and the manifest of the
// devnet tooling's hash-sig-keys folder, which have no place for a flag. Does not remove the keys: delete a key here
// before it is used there, since a key must not sign in two places. Errors of KeyRecords, ReadWholeKey and
// KeystoreFolder; AlreadyExists: the file exists, or the folder has keys or records.
absl::Status ExportKeys(const KeysExportOptions& options, RandomSource& random, std::ostream& out);

struct KeysDeleteOptions {
  std::string keystores;
  std::vector<uint64_t> indices;
  KeyRecordsOptions records;
  std::string records_output;  // new file
};

// `keys delete`: takes keys out of use for good. In this order: keeps every client from the keys and the list, writes
// their records to a file, and only when that is on the disk takes the keys off the list and removes their files.
// Errors of KeyRecords and KeystoreFolder; NotFound: an index is not in the list, found before anything is changed.
absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_
