// What the signature verifier remembers: which signatures are right, and which validators have signed more than once.
#ifndef LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_MEMORY_H_
#define LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Signatures that were verified and are right, so that the same vote in gossip, in a block and in the next block costs
// one verification. Bounded; forgets the least recently used one. Thread-safe.
class VerifiedCache {
 public:
  // Identifies a signature: the SHA-256 of (validator, message root, signature). The slot is part of the message.
  static Root Key(uint64_t validator, const Root& message, const SignatureBytes& signature);

  explicit VerifiedCache(size_t capacity) : capacity_(capacity) {}

  bool Contains(const Root& key);
  void Insert(const Root& key);

  size_t size() const;
  size_t bytes() const { return size() * kEntryBytes; }

 private:
  // A list node, and a place in a hash table that is half full.
  static constexpr size_t kEntryBytes = 150;

  const size_t capacity_;
  mutable Mutex mutex_;
  std::list<Root> by_use_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Root, std::list<Root>::iterator> places_ ABSL_GUARDED_BY(mutex_);
};

// Bounds how many different items of one validator and slot the node verifies. An honest validator signs one vote a
// slot, and one block as the proposer; a dishonest one can sign any number, each with a right signature. The first two
// are let through, since the second proves that the validator is dishonest. Any further one is refused before its
// signature is verified, and its sender is not blamed.
//
// Remembers the last kSlots slots, in 16 bytes for each validator and slot. Callers refuse older items, which can no
// longer be told apart. Thread-safe.
class SignedOnce {
 public:
  static constexpr size_t kMost = 2;
  static constexpr int64_t kSlots = 64;

  enum class Answer {
    kFirst,    // the only item so far, or a known one
    kSecond,   // differs from the first: the validator is dishonest. Returned once for a validator and slot.
    kTooMany,  // differs from the first two
  };

  explicit SignedOnce(size_t validator_count) : validator_count_(validator_count) {}

  // True when `slot` is too old to be remembered. `current_slot` is negative before genesis.
  static bool IsTooOld(uint64_t slot, int64_t current_slot) {
    return static_cast<int64_t>(slot) < current_slot - kSlots;
  }

  // `validator` is below the count; `key` identifies the item.
  // True when Add would return kTooMany, so that the signature need not be verified.
  bool IsTooMany(uint64_t slot, uint64_t validator, const Root& key) const;
  // Records an item whose signature is right.
  Answer Add(uint64_t slot, uint64_t validator, const Root& key, int64_t current_slot);

  // The number of slots that are remembered.
  size_t size() const;
  size_t bytes() const { return size() * validator_count_ * sizeof(Keys); }

 private:
  // The first 8 bytes of each key, in order of arrival; 0: none. A third item passes for one of the first two only if
  // these bytes collide, which takes 2^64 hashes to arrange and gains one extra verification.
  using Keys = std::array<uint64_t, kMost>;

  const size_t validator_count_;
  mutable Mutex mutex_;
  std::map<uint64_t, std::vector<Keys>> slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_MEMORY_H_
