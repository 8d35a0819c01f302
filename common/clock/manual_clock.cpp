#include "common/clock/manual_clock.h"

#include <iterator>

namespace lean {

int64_t ManualClock::WallMs() const {
  MutexLock lock(mutex_);
  return wall_ms_;
}

SteadyTime ManualClock::Steady() const {
  MutexLock lock(mutex_);
  return steady_;
}

bool ManualClock::WaitUntil(SteadyTime deadline, std::stop_token stop) {
  MutexLock lock(mutex_);
  const auto waiter = deadlines_.insert(deadline);
  waiters_changed_.NotifyAll();
  time_changed_.Wait(mutex_, stop,
                     [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return interrupted_ || steady_ >= deadline; });
  deadlines_.erase(waiter);
  return !interrupted_ && steady_ >= deadline;
}

void ManualClock::Interrupt() {
  {
    MutexLock lock(mutex_);
    interrupted_ = true;
  }
  time_changed_.NotifyAll();
}

void ManualClock::Advance(std::chrono::milliseconds duration) {
  {
    MutexLock lock(mutex_);
    wall_ms_ += duration.count();
    steady_ += duration;
  }
  time_changed_.NotifyAll();
}

void ManualClock::SetWallMs(int64_t wall_ms) {
  MutexLock lock(mutex_);
  wall_ms_ = wall_ms;
}

void ManualClock::AwaitWaiters(size_t count) {
  MutexLock lock(mutex_);
  waiters_changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return BlockedLocked() >= count; });
}

std::optional<SteadyTime> ManualClock::NextDeadline() const {
  MutexLock lock(mutex_);
  const auto next = deadlines_.upper_bound(steady_);
  if (next == deadlines_.end()) return std::nullopt;
  return *next;
}

// A thread whose deadline has passed does not count as waiting, even if it has not woken up yet.
size_t ManualClock::BlockedLocked() const {
  return static_cast<size_t>(std::distance(deadlines_.upper_bound(steady_), deadlines_.end()));
}

}  // namespace lean
