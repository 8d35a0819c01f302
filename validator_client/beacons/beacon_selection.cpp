#include "validator_client/beacons/beacon_selection.h"

#include <algorithm>
#include <functional>

namespace lean::validator {
namespace {

// The newest confirmed head slot.
uint64_t BestHead(const std::vector<BeaconHealth>& beacons, uint64_t known_slot) {
  std::vector<uint64_t> heads;
  for (const BeaconHealth& beacon : beacons) {
    if (beacon.on_network && beacon.head_age_slots <= kHeadMemorySlots) heads.push_back(beacon.head_slot);
  }
  if (heads.size() < 2) return known_slot;
  std::nth_element(heads.begin(), heads.begin() + 1, heads.end(), std::greater<>());
  return std::max(known_slot, heads[1]);
}

}  // namespace

BeaconOrder RankBeacons(const std::vector<BeaconHealth>& beacons, uint64_t known_slot,
                        std::chrono::milliseconds max_latency) {
  const uint64_t best_head = BestHead(beacons, known_slot);
  uint64_t best_ready_head = 0;
  BeaconOrder order;
  for (size_t i = 0; i < beacons.size(); ++i) {
    if (!beacons[i].ready) continue;
    best_ready_head = std::max(best_ready_head, std::min(beacons[i].head_slot, best_head));
    const bool lags = beacons[i].head_slot + kMaxLagSlots < best_head;
    (lags || beacons[i].lost_place ? order.reserve : order.good).push_back(i);
  }
  const auto put_first = [](std::vector<size_t>& list, const auto& is_better) {
    std::stable_partition(list.begin(), list.end(), is_better);
  };
  put_first(order.good, [&](size_t i) { return beacons[i].latency <= max_latency; });
  put_first(order.good, [&](size_t i) { return beacons[i].head_slot >= best_ready_head; });
  put_first(order.reserve, [&](size_t i) { return !beacons[i].lost_place; });
  return order;
}

std::chrono::milliseconds AttemptTimeout(std::chrono::milliseconds remaining, size_t left) {
  return left > 1 ? remaining / 2 : remaining;
}

}  // namespace lean::validator
