// Handles the requests of the KeymanagerService (proto/lean/v1/keymanager.proto), without gRPC.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/secrets/random_source.h"
#include "lean/v1/keymanager.pb.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {

struct KeymanagerContext {
  LiveKeys& keys;
  SqliteSigningRecords& records;  // the signer's own
  KeyLocks& locks;                // of the keys of this process
  RandomSource& random;
  std::string keystores;          // the list; this process has locked its folder
  KeyProtection protection = {};  // of new key files; without a password no key can be added
  uint32_t log_lifetime = 0;      // of all keys of this client, including new ones
  unsigned threads = 1;           // for the preparation of a key
  std::stop_token stopping = {};  // requested: the remaining keys of a request are refused
  std::shared_ptr<spdlog::logger> log;
};

// Thread-safe; makes one change at a time. All references in the context must outlive this object. If the process ends
// at any point, the list of keystores names the keys that the next start uses, and the records of a deleted key have
// been written.
class KeymanagerRequests {
 public:
  explicit KeymanagerRequests(KeymanagerContext context) : context_(std::move(context)) {}

  absl::StatusOr<v1::ListKeystoresResponse> ListKeystores(const v1::ListKeystoresRequest& request);
  absl::StatusOr<v1::ImportKeystoresResponse> ImportKeystores(const v1::ImportKeystoresRequest& request);
  absl::StatusOr<v1::DeleteKeystoresResponse> DeleteKeystores(const v1::DeleteKeystoresRequest& request);
  absl::StatusOr<v1::ExportSigningRecordsResponse> ExportSigningRecords(const v1::ExportSigningRecordsRequest& request);
  absl::StatusOr<v1::ImportSigningRecordsResponse> ImportSigningRecords(const v1::ImportSigningRecordsRequest& request);

 private:
  struct Deletion;

  absl::StatusOr<ImportSummary> MergeRecords(const std::string& records) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::ImportResult ImportOne(const v1::KeystoreToImport& item, KeystoreFolder& folder)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::ImportResult Store(uint64_t index, OpenedKeyFile opened, const KeyState& state, bool never_signed,
                         KeystoreFolder& folder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes the records of the deleted keys to a new file, and puts them into `response`.
  absl::Status SaveRecords(const std::vector<Deletion>& deletions, v1::DeleteKeystoresResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const KeymanagerContext context_;
  Mutex mutex_;  // one request at a time, apart from ListKeystores
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_
