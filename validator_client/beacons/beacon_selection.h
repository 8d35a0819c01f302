// Ranks beacons by their last probes and by their failures in duties. Pure functions and values.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/containers/attestation.h"

namespace lean::validator {

// For how many slots a beacon is demoted when another beacon disproves its claim, and when it fails in duties although
// its probes succeed.
inline constexpr uint64_t kDisprovedSlots = 64;
inline constexpr uint64_t kUnreliableSlots = 8;
// This many failed duties in a row demote a beacon.
inline constexpr int kMaxFailures = 2;

// Records the failures and claims of a beacon in duties, and whether they demote it. Not thread-safe.
class BeaconStanding {
 public:
  // True when the beacon is demoted: duties of `slot` use it only after the others.
  bool has_lost_place(uint64_t slot) const { return slot < back_at_; }

  void DutyAnswered() { failures_ = 0; }
  void DutyFailed(uint64_t slot) {
    if (++failures_ < kMaxFailures) return;
    failures_ = 0;
    LosePlace(slot, kUnreliableSlots);
  }

  // Notes that the beacon names a block that no other beacon knows yet. Keeps the oldest claim until it is settled.
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

// A beacon whose head is more slots behind the best head lags.
inline constexpr uint64_t kMaxLagSlots = 2;
// For how many slots the head of a beacon that is gone still confirms the heads that others claim.
inline constexpr uint64_t kHeadMemorySlots = 8;

struct BeaconHealth {
  bool ready = false;                    // BeaconSession::ready() is OK
  bool on_network = false;               // BeaconSession::on_network()
  bool lost_place = false;               // BeaconStanding::has_lost_place()
  uint64_t head_slot = 0;                // of the last answer that had a head
  uint64_t head_age_slots = 0;           // slots since that answer
  std::chrono::milliseconds latency{0};  // of that answer
};

// Indices of beacons, best first.
struct BeaconOrder {
  std::vector<size_t> good;     // used for duties
  std::vector<size_t> reserve;  // lagging or demoted: used when the good ones bring no result
};

// `beacons` are in the operator's order, which decides among healthy beacons. Beacons with a latency above
// `max_latency` follow, then those whose head is behind the best head by one slot or more, because a block built on it
// would leave a block out. The best head is the newest confirmed one: `known_slot`, whose block the client knows, or
// the newest slot that two beacons of our network have reached. A newer head that only one beacon claims has no effect.
// Heads of beacons that are gone count for kHeadMemorySlots: otherwise a beacon that is still at genesis would be used
// as soon as the others fail for a moment. A beacon that is not ready is in neither list.
BeaconOrder RankBeacons(const std::vector<BeaconHealth>& beacons, uint64_t known_slot,
                        std::chrono::milliseconds max_latency);

// The timeout for the next of `left` beacons to try, when `remaining` is left of the stage: all of it for the last
// beacon, half of it for any other.
std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_
