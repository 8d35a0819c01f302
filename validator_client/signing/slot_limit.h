// How far ahead keys may sign: the bound that neither a beacon's word nor a jump of the wall clock lifts.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SLOT_LIMIT_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SLOT_LIMIT_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"

namespace lean::validator {

// The number of slots that a key may sign above its known slots.
inline constexpr uint64_t kSlotsAhead = 1024;

// Limits the slots that keys may sign. After a key has signed a slot it cannot sign a lower one, so one signature for a
// future slot ends its duties until then. The highest slot that a key may sign is the sum of
// - the maximum of these: its highest record at the start plus kSlotsAhead, the network's slot at the start plus
//   kSlotsAhead, and the slot that the operator allows;
// - the number of slot durations since the start of the process, by its steady clock.
// The network's slot counts only when the genesis time was checked against what the operator named. Thread-safe.
class SlotLimit {
 public:
  // The start of the process is now. `clock` must outlive this object. `allowed`: the slot that the operator allows; 0:
  // none.
  SlotLimit(const Clock& clock, uint64_t slot_duration_ms, uint64_t allowed = 0);

  // Notes that the genesis time of `slots` was checked: the network's slot at the start counts from now on.
  void TrustGenesis(const SlotClock& slots);

  // The highest slot that a key whose records ended with `highest_at_start` may sign now.
  uint64_t Highest(std::optional<uint64_t> highest_at_start) const;

  // FailedPrecondition: `slot` is above Highest(); the message says what the operator can do.
  absl::Status Check(std::optional<uint64_t> highest_at_start, uint64_t slot) const;

 private:
  const Clock& clock_;
  const uint64_t slot_duration_ms_;
  const uint64_t allowed_;
  const int64_t start_wall_ms_;
  const SteadyTime start_;
  std::atomic<bool> genesis_trusted_ = false;
  std::atomic<uint64_t> slot_at_start_ = 0;  // once the genesis is trusted
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SLOT_LIMIT_H_
