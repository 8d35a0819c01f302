#include "common/clock/backoff.h"

#include <algorithm>

namespace lean {

Backoff::Backoff(Delay first, Delay ceiling, uint64_t seed)
    : first_(first), ceiling_(ceiling), step_(first), random_(seed) {}

Backoff::Delay Backoff::Next() {
  std::uniform_int_distribution<Delay::rep> jitter(step_.count() / 2, step_.count());
  const Delay delay(jitter(random_));
  step_ = std::min(step_ * 2, ceiling_);
  return delay;
}

}  // namespace lean
