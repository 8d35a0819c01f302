// Whether a beacon keeps its place among several, by what it has done in duties.
#ifndef LEAN_VALIDATOR_CLIENT_BEACON_STANDING_H_
#define LEAN_VALIDATOR_CLIENT_BEACON_STANDING_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/containers/checkpoint.h"

namespace lean::validator {

// For how long a beacon loses its place whose claim was disproved, and one that fails in duties although its probes are
// good.
inline constexpr uint64_t kDisprovedSlots = 64;
inline constexpr uint64_t kUnreliableSlots = 8;
// Failures in duties in a row that cost the place.
inline constexpr int kMaxFailures = 2;

// Not thread-safe.
class BeaconStanding {
 public:
  // It lost its place, and is asked for the duties of `slot` only after the others.
  bool has_lost_place(uint64_t slot) const { return slot < back_at_; }

  void DutyAnswered() { failures_ = 0; }
  void DutyFailed(uint64_t slot) {
    if (++failures_ < kMaxFailures) return;
    failures_ = 0;
    LosePlace(slot, kUnreliableSlots);
  }

  // It names a block that no other beacon knows yet. The oldest such claim is kept until it is settled.
  void Claim(const Checkpoint& block) {
    if (!claim_.has_value()) claim_ = block;
  }
  const std::optional<Checkpoint>& claim() const { return claim_; }
  void DropClaim() { claim_.reset(); }
  void ClaimDisproved(uint64_t slot) {
    claim_.reset();
    LosePlace(slot, kDisprovedSlots);
  }

 private:
  void LosePlace(uint64_t slot, uint64_t slots) { back_at_ = std::max(back_at_, slot + slots); }

  uint64_t back_at_ = 0;  // slot
  int failures_ = 0;      // in a row
  std::optional<Checkpoint> claim_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_STANDING_H_
