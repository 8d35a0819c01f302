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

// Slots that a key may sign above what is known of it.
inline constexpr uint64_t kSlotsAhead = 1024;

// A key that has signed a slot signs none below it any more: one signature for a slot of the future ends its duties
// until then. So a key signs at most
//     the higher of its highest record at the start and the network's slot at the start, and kSlotsAhead more,
//     or the slot that the operator allows, if that is higher,
//     and one more for each slot duration that has passed on the process's own steady clock since its start.
// The network's slot at the start counts only when its genesis time was checked against the operator's word.
// Thread-safe.
class SlotLimit {
 public:
  // The process starts now. `clock` must outlive this object. `allowed`: the operator's word; 0: none.
  SlotLimit(const Clock& clock, uint64_t slot_duration_ms, uint64_t allowed = 0);

  // The genesis time of `slots` was checked: what slot it was at the start counts from now on.
  void TrustGenesis(const SlotClock& slots);

  // The highest slot that a key whose records ended with `highest_at_start` may sign now.
  uint64_t Highest(std::optional<uint64_t> highest_at_start) const;

  // FailedPrecondition: that is below `slot`; the message says what the operator can do.
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
