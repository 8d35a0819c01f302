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

struct BeaconHealth {
  bool ready = false;                    // BeaconSession::ready() is OK
  uint64_t head_slot = 0;                // of the last good probe
  std::chrono::milliseconds latency{0};  // of the last good probe
};

// The beacons that may be asked, best first, as indices into `beacons`, which stand in the operator's order. That order
// decides among healthy ones. Those that answer more slowly than `max_latency` come after them, lagging ones last:
// working with one of these beats missing a duty. A beacon that is not ready is never asked.
std::vector<size_t> RankBeacons(const std::vector<BeaconHealth>& beacons, std::chrono::milliseconds max_latency);

// How long one of the beacons that are left to try (`left`, itself included) may take when `remaining` is left of the
// stage: the last one all of it, every other one half, so that there is room for the next.
std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_SELECTION_H_
