// Which of several beacons is worked with. Pure rules on what the last probes have shown.
#ifndef LEAN_VALIDATOR_CLIENT_BEACON_SELECTION_H_
#define LEAN_VALIDATOR_CLIENT_BEACON_SELECTION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lean::validator {

// A beacon whose head is further behind the best one is lagging.
inline constexpr uint64_t kMaxLagSlots = 2;
// For how long a head that a beacon has shown is held against the others after that beacon was lost.
inline constexpr uint64_t kHeadMemorySlots = 8;

struct BeaconHealth {
  bool ready = false;                    // BeaconSession::ready() is OK
  bool on_network = false;               // BeaconSession::on_network()
  uint64_t head_slot = 0;                // of the last answer that showed one
  uint64_t head_age_slots = 0;           // slots since that answer
  std::chrono::milliseconds latency{0};  // of that answer
};

// Beacons as indices, the best first.
struct BeaconOrder {
  std::vector<size_t> good;     // to be asked
  std::vector<size_t> lagging;  // ready, but what they build would be on an old head
};

// `beacons` stand in the operator's order, which decides among healthy ones. Those that answer more slowly than
// `max_latency` come after them, and last those whose head is behind that of another ready one, be it by one slot: what
// they build would leave a block out. A beacon lags when another one of our network has shown a better head, be it that
// this one is gone now: a beacon that has just begun at genesis must not be worked with as soon as the good one
// hiccups. A beacon that is not ready is in neither list.
BeaconOrder RankBeacons(const std::vector<BeaconHealth>& beacons, std::chrono::milliseconds max_latency);

// How long one of the beacons that are left to try (`left`, itself included) may take when `remaining` is left of the
// stage: the last one all of it, every other one half, so that there is room for the next.
std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_SELECTION_H_
