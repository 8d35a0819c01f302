// A clock that tests control.
#ifndef LEAN_COMMON_CLOCK_MANUAL_CLOCK_H_
#define LEAN_COMMON_CLOCK_MANUAL_CLOCK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean {

// The time only changes by the calls below. A thread that waits wakes up when its deadline is reached. AwaitWaiters
// tells a test that threads have finished their work and wait again, so no test needs to sleep:
//   clock.AwaitWaiters(1);  clock.Advance(1000ms);  clock.AwaitWaiters(1);  // one round of a loop is done
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t wall_ms) : wall_ms_(wall_ms) {}
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  using Clock::WaitUntil;
  int64_t WallMs() const override;
  SteadyTime Steady() const override;
  bool WaitUntil(SteadyTime deadline, std::stop_token stop) override;
  void Interrupt() override;

  // Advances both clocks. `duration` must not be negative.
  void Advance(std::chrono::milliseconds duration);

  // Sets the wall clock only, as an operator or NTP does.
  void SetWallMs(int64_t wall_ms);

  // Blocks until at least `count` threads wait for a later time.
  void AwaitWaiters(size_t count);

  // The earliest time for which a thread waits; nullopt if none waits.
  std::optional<SteadyTime> NextDeadline() const;

 private:
  size_t BlockedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar time_changed_;
  CondVar waiters_changed_;
  int64_t wall_ms_ ABSL_GUARDED_BY(mutex_);
  SteadyTime steady_ ABSL_GUARDED_BY(mutex_){};
  std::multiset<SteadyTime> deadlines_ ABSL_GUARDED_BY(mutex_);  // of the threads inside WaitUntil
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_MANUAL_CLOCK_H_
