#include "common/clock/manual_clock.h"

#include <iterator>

namespace lean {

int64_t ManualClock::WallMs() const {
  std::lock_guard lock(mutex_);
  return wall_ms_;
}

SteadyTime ManualClock::Steady() const {
  std::lock_guard lock(mutex_);
  return steady_;
}

bool ManualClock::WaitUntil(SteadyTime deadline, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto waiter = deadlines_.insert(deadline);
  waiters_changed_.notify_all();
  time_changed_.wait(lock, stop, [&] { return interrupted_ || steady_ >= deadline; });
  deadlines_.erase(waiter);
  return !interrupted_ && steady_ >= deadline;
}

void ManualClock::Interrupt() {
  {
    std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  time_changed_.notify_all();
}

void ManualClock::Advance(std::chrono::milliseconds duration) {
  {
    std::lock_guard lock(mutex_);
    wall_ms_ += duration.count();
    steady_ += duration;
  }
  time_changed_.notify_all();
}

void ManualClock::SetWallMs(int64_t wall_ms) {
  std::lock_guard lock(mutex_);
  wall_ms_ = wall_ms;
}

void ManualClock::AwaitWaiters(size_t count) {
  std::unique_lock lock(mutex_);
  waiters_changed_.wait(lock, [&] { return BlockedLocked() >= count; });
}

std::optional<SteadyTime> ManualClock::NextDeadline() const {
  std::lock_guard lock(mutex_);
  const auto next = deadlines_.upper_bound(steady_);
  if (next == deadlines_.end()) return std::nullopt;
  return *next;
}

// A thread whose time has come is about to run, even if it has not woken yet.
size_t ManualClock::BlockedLocked() const {
  return static_cast<size_t>(std::distance(deadlines_.upper_bound(steady_), deadlines_.end()));
}

}  // namespace lean
