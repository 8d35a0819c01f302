// Delays between attempts: they double up to a maximum. Jitter keeps several clients from trying at the same time.
#ifndef LEAN_COMMON_CLOCK_BACKOFF_H_
#define LEAN_COMMON_CLOCK_BACKOFF_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace lean {

// Not thread-safe. The same seed gives the same delays.
class Backoff {
 public:
  using Delay = std::chrono::milliseconds;

  // 0 < first <= ceiling.
  Backoff(Delay first, Delay ceiling, uint64_t seed) : first_(first), ceiling_(ceiling), step_(first), random_(seed) {}

  // The delay after one more failure: between half of the current step and all of it.
  Delay Next() {
    std::uniform_int_distribution<Delay::rep> jitter(step_.count() / 2, step_.count());
    const Delay delay(jitter(random_));
    step_ = std::min(step_ * 2, ceiling_);
    return delay;
  }

  // Call it after a success: the next delay is the first one again.
  void Reset() { step_ = first_; }

 private:
  Delay first_;
  Delay ceiling_;
  Delay step_;
  std::mt19937_64 random_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_BACKOFF_H_
