// How much a peer may send and ask.
#ifndef LEAN_BEACON_NETWORK_RATE_LIMITS_H_
#define LEAN_BEACON_NETWORK_RATE_LIMITS_H_

#include <cstdint>
#include <mutex>

#include "common/clock/clock.h"

namespace lean::beacon {

// What may come at once, and what comes again with time.
struct Rate {
  double burst = 0;
  double per_second = 0;
};

// Thread compatible.
class TokenBucket {
 public:
  // Full at the start.
  TokenBucket(const Rate& rate, SteadyTime now) : rate_(rate), tokens_(rate.burst), filled_(now) {}

  // False, and nothing taken, when it does not hold as many. `now` before an earlier one counts as that.
  bool TryTake(double tokens, SteadyTime now);

 private:
  const Rate rate_;
  double tokens_;
  SteadyTime filled_;
};

struct RateLimits {
  Rate bytes;     // of gossip, compressed
  Rate blocks;    // by gossip
  Rate votes;     // by gossip
  Rate requests;  // for blocks
  Rate served;    // bytes of blocks in answer to them

  // An honest peer sends each vote and block once. A multiple of what a slot brings is allowed, and bursts as they come
  // after a pause of some slots or a healed partition.
  static RateLimits For(uint64_t validators, uint64_t slot_ms);
};

// The limits of one peer, counting. Thread-safe.
class PeerRates {
 public:
  PeerRates(const RateLimits& limits, SteadyTime now);

  // Each of them takes nothing when it answers false.
  bool TakeBytes(size_t bytes, SteadyTime now) { return Take(bytes_, static_cast<double>(bytes), now); }
  bool TakeBlock(SteadyTime now) { return Take(blocks_, 1, now); }
  bool TakeVotes(size_t votes, SteadyTime now) { return Take(votes_, static_cast<double>(votes), now); }
  bool TakeRequest(SteadyTime now) { return Take(requests_, 1, now); }
  bool TakeServed(size_t bytes, SteadyTime now) { return Take(served_, static_cast<double>(bytes), now); }

 private:
  bool Take(TokenBucket& bucket, double tokens, SteadyTime now) {
    std::lock_guard lock(mutex_);
    return bucket.TryTake(tokens, now);
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  TokenBucket bytes_;
  TokenBucket blocks_;
  TokenBucket votes_;
  TokenBucket requests_;
  TokenBucket served_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_RATE_LIMITS_H_
