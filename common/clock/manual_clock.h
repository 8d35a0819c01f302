// A clock that tests move by hand.
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

// Stands still until advanced. Threads that wait wake when the time they wait for is reached; a test lets them come
// to rest with AwaitWaiters before it moves time on, so that no test needs to sleep:
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

  // Moves both clocks on, as time does. Never negative.
  void Advance(std::chrono::milliseconds duration);

  // Sets the wall clock alone, as an operator or NTP does.
  void SetWallMs(int64_t wall_ms);

  // Blocks until at least `count` threads wait for a time that has not come.
  void AwaitWaiters(size_t count);

  // The earliest time a thread waits for; nullopt when none does.
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
