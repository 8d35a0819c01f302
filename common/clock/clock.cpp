#include "common/clock/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace lean {
namespace {

// Condition variables use CLOCK_MONOTONIC, which stops while the machine is suspended. A long wait is therefore split
// into short ones, and the remaining time is computed again after each.
constexpr std::chrono::milliseconds kLongestPiece{200};

}  // namespace

std::chrono::system_clock::time_point SystemTime() { return std::chrono::system_clock::now(); }

int64_t RealClock::WallMs() const {
  const auto since_epoch = SystemTime().time_since_epoch();
  return std::chrono::floor<std::chrono::milliseconds>(since_epoch).count();
}

SteadyTime RealClock::Steady() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return SteadyTime(std::chrono::duration_cast<SteadyTime::duration>(std::chrono::seconds(now.tv_sec) +
                                                                     std::chrono::nanoseconds(now.tv_nsec)));
}

bool RealClock::WaitUntil(SteadyTime deadline, std::stop_token stop) {
  MutexLock lock(mutex_);
  while (!interrupted_ && !stop.stop_requested()) {
    const SteadyTime now = Steady();
    if (now >= deadline) return true;
    const SteadyTime::duration piece = std::min<SteadyTime::duration>(deadline - now, kLongestPiece);
    condition_.WaitFor(mutex_, stop, piece, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return interrupted_; });
  }
  return false;
}

void RealClock::Interrupt() {
  {
    MutexLock lock(mutex_);
    interrupted_ = true;
  }
  condition_.NotifyAll();
}

}  // namespace lean
