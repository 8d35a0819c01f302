// Who signs more than one thing for a slot.
#ifndef LEAN_BEACON_SERVICES_CHECKS_SIGNED_ONCE_H_
#define LEAN_BEACON_SERVICES_CHECKS_SIGNED_ONCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// An honest validator signs one vote a slot, and as its proposer one block; a dishonest one as many as it likes, each
// of them right by itself. Two different ones of a validator and slot are let through: the second shows everybody what
// it is. Any further one is turned away before its signature is checked, whoever brings it, and that is nobody's fault
// but the signer's.
//
// Remembers kSlots slots behind the clock and what may be early, 16 bytes for each validator and slot in which anything
// was signed; what is older cannot be told apart any more, so it is for whoever asks to turn it away. Thread-safe.
class SignedOnce {
 public:
  static constexpr size_t kMost = 2;
  static constexpr int64_t kSlots = 64;

  enum class Answer {
    kFirst,    // the only one so far, or known already
    kSecond,   // different from the first: the validator is dishonest. Said once.
    kTooMany,  // different from those two
  };

  explicit SignedOnce(size_t validator_count) : validator_count_(validator_count) {}

  // Whether `slot` is too old to be remembered. `current_slot` is negative before genesis.
  static bool IsTooOld(uint64_t slot, int64_t current_slot) {
    return static_cast<int64_t>(slot) < current_slot - kSlots;
  }

  // Both for validators below the count; `key` tells one item from another.
  // True: whether its signature is right need not be known, since Add would answer kTooMany.
  bool IsTooMany(uint64_t slot, uint64_t validator, const Root& key) const;
  // The signature is right.
  Answer Add(uint64_t slot, uint64_t validator, const Root& key, int64_t current_slot);

  // Slots that are remembered.
  size_t size() const;

 private:
  // The first bytes of the keys, in order of arrival; 0: none. Whoever wants a third item taken for one of two has to
  // find a second preimage of 64 bits.
  using Keys = std::array<uint64_t, kMost>;

  const size_t validator_count_;
  mutable Mutex mutex_;
  std::map<uint64_t, std::vector<Keys>> slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_SIGNED_ONCE_H_
