// Locks that keep two clients from signing with the same keys.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/process/descriptors.h"
#include "common/process/process_lock.h"

namespace lean::validator {

// What ProcessLock's refusal says of two clients.
inline constexpr absl::string_view kTwoSigners = "two clients with the same keys would sign twice";

// Locks each of the folders by its file ".lean-validator.lock"; a folder named twice counts once. Errors: those of
// ProcessLock::Acquire; kNotFound: there is no such folder.
absl::StatusOr<std::vector<ProcessLock>> LockKeyFolders(const std::vector<std::string>& folders);

// The keys that this process signs with, locked one by one, wherever their files are: the key file itself, so that hard
// and symbolic links of it are one, and a name made from the public key, so that copies are. The file's lock holds for
// every process of this kernel that has that file, the name for every process of this network namespace. Two
// descriptors a key. The kernel drops the locks with the process. Thread-safe.
class KeyLocks {
 public:
  // Names of different scopes do not meet: tests use the same keys at the same time.
  explicit KeyLocks(std::string scope = "") : scope_(std::move(scope)) {}

  // Before anything is signed with the key; `file` holds it. FailedPrecondition: another process has the key, or this
  // one; the message names the process where the kernel tells. Other errors: the file cannot be opened or locked, or
  // there are not enough descriptors.
  absl::Status Add(const PublicKeyBytes& pubkey, const std::string& file);

  // Nothing is signed with the key any more. Nothing happens if it is not locked.
  void Remove(const PublicKeyBytes& pubkey);

 private:
  struct Held {
    Descriptor name;
    Descriptor file;
  };

  const std::string scope_;
  std::mutex mutex_;
  absl::flat_hash_map<PublicKeyBytes, Held> held_;  // guarded by mutex_
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
