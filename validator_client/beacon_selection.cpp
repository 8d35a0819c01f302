#include "validator_client/beacon_selection.h"

#include <algorithm>

namespace lean::validator {
namespace {

enum class Tier { kHealthy, kSlow, kLagging };

Tier TierOf(const BeaconHealth& beacon, uint64_t best_head, std::chrono::milliseconds max_latency) {
  if (best_head - beacon.head_slot > kMaxLagSlots) return Tier::kLagging;
  return beacon.latency > max_latency ? Tier::kSlow : Tier::kHealthy;
}

}  // namespace

std::vector<size_t> RankBeacons(const std::vector<BeaconHealth>& beacons, std::chrono::milliseconds max_latency) {
  std::vector<size_t> order;
  uint64_t best_head = 0;
  for (size_t i = 0; i < beacons.size(); ++i) {
    if (!beacons[i].ready) continue;
    order.push_back(i);
    best_head = std::max(best_head, beacons[i].head_slot);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return TierOf(beacons[a], best_head, max_latency) < TierOf(beacons[b], best_head, max_latency);
  });
  return order;
}

std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left) {
  return left > 1 ? remaining / 2 : remaining;
}

}  // namespace lean::validator
