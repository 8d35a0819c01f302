#include "beacon/network/rate_limits.h"

#include <algorithm>
#include <chrono>

#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

// Of what every validator's one vote a slot would need.
constexpr double kShare = 4;
// Slots whose votes and blocks may come at once; and what may in the smallest network.
constexpr double kBurstSlots = 8;
constexpr double kLeastVotesAtOnce = 1024;
constexpr double kBlocksAtOnce = 64;
constexpr double kRequestsAtOnce = 128;
constexpr double kRequestsPerSecond = 64;
constexpr double kServedAtOnce = 128 << 20;
constexpr double kServedPerSecond = 32 << 20;

}  // namespace

bool TokenBucket::TryTake(double tokens, SteadyTime now) {
  if (now > filled_) {
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(rate_.burst, tokens_ + seconds * rate_.per_second);
    filled_ = now;
  }
  if (tokens > tokens_) return false;
  tokens_ -= tokens;
  return true;
}

RateLimits RateLimits::For(uint64_t validators, uint64_t slot_ms) {
  const double slots_per_second = 1000.0 / static_cast<double>(slot_ms);
  const double count = static_cast<double>(validators);
  RateLimits limits;
  limits.votes = {.burst = std::max(kLeastVotesAtOnce, kBurstSlots * count),
                  .per_second = kShare * count * slots_per_second};
  limits.blocks = {.burst = kBlocksAtOnce, .per_second = kShare * slots_per_second};
  // A block holds a vote of each validator at most.
  const double largest_block = std::min<double>(kMaxPayloadBytes, (count + 2) * kVoteBytes);
  limits.bytes = {
      .burst = limits.votes.burst * kVoteBytes + std::max<double>(kMaxPayloadBytes, kBurstSlots * largest_block),
      .per_second = limits.votes.per_second * kVoteBytes + limits.blocks.per_second * largest_block};
  limits.requests = {.burst = kRequestsAtOnce, .per_second = kRequestsPerSecond};
  limits.served = {.burst = kServedAtOnce, .per_second = kServedPerSecond};
  return limits;
}

PeerRates::PeerRates(const RateLimits& limits, SteadyTime now)
    : bytes_(limits.bytes, now),
      blocks_(limits.blocks, now),
      votes_(limits.votes, now),
      requests_(limits.requests, now),
      served_(limits.served, now) {}

}  // namespace lean::beacon
