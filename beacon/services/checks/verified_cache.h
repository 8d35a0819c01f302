// Signatures that are known to be right.
#ifndef LEAN_BEACON_SERVICES_CHECKS_VERIFIED_CACHE_H_
#define LEAN_BEACON_SERVICES_CHECKS_VERIFIED_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Bounded; forgets what was used longest ago. Thread-safe.
class VerifiedCache {
 public:
  // What was verified, by SHA-256 of (validator, message root, signature). The slot is part of the message, the key is
  // the validator's.
  static Root Key(uint64_t validator, const Root& message, const SignatureBytes& signature);

  explicit VerifiedCache(size_t capacity) : capacity_(capacity) {}

  bool Contains(const Root& key);
  void Insert(const Root& key);

 private:
  const size_t capacity_;
  Mutex mutex_;
  std::list<Root> by_use_ ABSL_GUARDED_BY(mutex_);  // newest first
  absl::flat_hash_map<Root, std::list<Root>::iterator> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_VERIFIED_CACHE_H_
