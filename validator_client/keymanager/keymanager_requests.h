// The answers of the KeymanagerService (proto/lean/v1/keymanager.proto), without gRPC.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
  KeyLocks& locks;                // of the keys that this process has
  RandomSource& random;
  std::string keystores;          // the list, whose folder this process has locked
  KeyProtection protection = {};  // of new key files; without a password no key may come
  uint32_t log_lifetime = 0;      // of this client's keys, and of every one that comes
  unsigned threads = 1;           // that prepare a key
  std::stop_token stopping = {};  // requested: of a request's keys, those that are still to come are refused
  std::shared_ptr<spdlog::logger> log;
};

// Thread-safe; one change at a time. What the context refers to outlives this object. Whatever happens in between, the
// list of keystores names the keys that a start would work with, and a key that was deleted has left its records
// behind.
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

  // mutex_ is held by the callers of all that follows.
  absl::StatusOr<ImportSummary> MergeRecords(const std::string& records);
  v1::ImportResult ImportOne(const v1::KeystoreToImport& item, KeystoreFolder& folder);
  v1::ImportResult Store(uint64_t index, OpenedKeyFile opened, bool never_signed, KeystoreFolder& folder);
  // Writes the records of what stopped to sign to a new file. Its text is in `response` as well.
  absl::Status SaveRecords(const std::vector<Deletion>& deletions, v1::DeleteKeystoresResponse& response);

  const KeymanagerContext context_;
  std::mutex mutex_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_REQUESTS_H_
