// Locks that prevent two processes from signing with the same keys.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/process/descriptors.h"
#include "common/process/process_lock.h"

namespace lean::validator {

// The reason that ProcessLock gives when it refuses a second client.
inline constexpr absl::string_view kTwoSigners = "two clients with the same keys would sign twice";

// Locks each distinct folder by its file ".lean-validator.lock". kNotFound: there is no such folder. Other errors:
// those of ProcessLock::Acquire.
absl::StatusOr<std::vector<ProcessLock>> LockKeyFolders(const std::vector<std::string>& folders);

// Locks the keys of this process one by one. Locks the key file itself, so that all hard and symbolic links to it count
// as one, and a name made from the public key, so that copies of the file do. The lock of the file holds for all
// processes of this kernel that can open it; the name holds for all processes of this network namespace. Uses two
// descriptors for each key. The kernel releases the locks when the process ends. Thread-safe.
class KeyLocks {
 public:
  // Names in different scopes are independent. Tests use this to work with the same keys at the same time.
  explicit KeyLocks(std::string scope = "") : scope_(std::move(scope)) {}

  // Locks the key in `file`. Call it before the key signs. FailedPrecondition: another process or this one has the key;
  // the message names the process if the kernel knows it. Other errors: the file cannot be opened or locked, or there
  // are not enough descriptors.
  absl::Status Add(const PublicKeyBytes& pubkey, const std::string& file);

  // Unlocks the key, which must not sign any more. Does nothing if it is not locked.
  void Remove(const PublicKeyBytes& pubkey);

 private:
  struct Held {
    Descriptor name;
    Descriptor file;
  };

  const std::string scope_;
  Mutex mutex_;
  absl::flat_hash_map<PublicKeyBytes, Held> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
