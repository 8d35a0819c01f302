// For signers in tests of something else.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_SLOT_LIMIT_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_SLOT_LIMIT_H_

#include <cstdint>

#include "common/clock/manual_clock.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::validator {

// Keeps no key from any slot that a key has.
class NoSlotLimit {
 public:
  operator SlotLimit&() { return limit_; }

 private:
  ManualClock clock_{0};
  SlotLimit limit_{clock_, 4000, uint64_t{1} << 32};
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_SLOT_LIMIT_H_
