#include "validator_client/beacon_selection.h"

#include <algorithm>

namespace lean::validator {
BeaconOrder RankBeacons(const std::vector<BeaconHealth>& beacons, std::chrono::milliseconds max_latency) {
  uint64_t best_head = 0;
  for (const BeaconHealth& beacon : beacons) {
    if (beacon.on_network && beacon.head_age_slots <= kHeadMemorySlots) {
      best_head = std::max(best_head, beacon.head_slot);
    }
  }
  BeaconOrder order;
  uint64_t best_ready_head = 0;
  for (size_t i = 0; i < beacons.size(); ++i) {
    if (!beacons[i].ready) continue;
    best_ready_head = std::max(best_ready_head, beacons[i].head_slot);
    const bool lags = beacons[i].head_slot + kMaxLagSlots < best_head;
    (lags ? order.lagging : order.good).push_back(i);
  }
  const auto keep_first = [&order](const auto& is_better) {
    std::stable_partition(order.good.begin(), order.good.end(), is_better);
  };
  keep_first([&](size_t i) { return beacons[i].latency <= max_latency; });
  keep_first([&](size_t i) { return beacons[i].head_slot == best_ready_head; });
  return order;
}

std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left) {
  return left > 1 ? remaining / 2 : remaining;
}

}  // namespace lean::validator
