// Which of several beacons is worked with. Pure rules on what the last probes have shown.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/containers/checkpoint.h"

namespace lean::validator {

// For how long a beacon loses its place whose claim was disproved, and one that fails in duties although its probes are
// good.
inline constexpr uint64_t kDisprovedSlots = 64;
inline constexpr uint64_t kUnreliableSlots = 8;
// Failures in duties in a row that cost the place.
inline constexpr int kMaxFailures = 2;

// Whether a beacon keeps its place among several, by what it has done in duties. Not thread-safe.
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

// A beacon whose head is further behind the best one is lagging.
inline constexpr uint64_t kMaxLagSlots = 2;
// For how long a head that a beacon has shown bears out what others claim, after that beacon was lost.
inline constexpr uint64_t kHeadMemorySlots = 8;

struct BeaconHealth {
  bool ready = false;                    // BeaconSession::ready() is OK
  bool on_network = false;               // BeaconSession::on_network()
  bool lost_place = false;               // BeaconStanding::has_lost_place()
  uint64_t head_slot = 0;                // of the last answer that showed one
  uint64_t head_age_slots = 0;           // slots since that answer
  std::chrono::milliseconds latency{0};  // of that answer
};

// Beacons as indices, the best first.
struct BeaconOrder {
  std::vector<size_t> good;     // to be asked
  std::vector<size_t> reserve;  // asked when the good ones have brought nothing: they lag, or have lost their place
};

// `beacons` stand in the operator's order, which decides among healthy ones. Those that answer more slowly than
// `max_latency` come after them, and last those whose head is behind the best one, be it by one slot: what they build
// would leave a block out. The best head is the newest that is borne out: one of `known_slot`, whose block the client
// knows, or the newest that two beacons of our network have reached. What a single one claims beyond that moves nobody.
// A head is remembered after its beacon was lost: one that has just begun at genesis must not be worked with as soon as
// the good ones hiccup. A beacon that is not ready is in neither list.
BeaconOrder RankBeacons(const std::vector<BeaconHealth>& beacons, uint64_t known_slot,
                        std::chrono::milliseconds max_latency);

// How long one of the beacons that are left to try (`left`, itself included) may take when `remaining` is left of the
// stage: the last one all of it, every other one half, so that there is room for the next.
std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SELECTION_H_
