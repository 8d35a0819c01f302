// The clock that all code receives as a parameter (wall time, steady time, and a wait), and the clocks of the machine.
#ifndef LEAN_COMMON_CLOCK_CLOCK_H_
#define LEAN_COMMON_CLOCK_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"

namespace lean {

using SteadyTime = std::chrono::steady_clock::time_point;

// Thread-safe. RealClock in processes, ManualClock in tests.
class Clock {
 public:
  virtual ~Clock() = default;

  // Unix time in milliseconds. May jump in either direction.
  virtual int64_t WallMs() const = 0;

  // Never goes back, and includes the time while the machine is suspended (CLOCK_BOOTTIME if available). Only
  // comparable with times of the same clock object, not with std::chrono::steady_clock::now().
  virtual SteadyTime Steady() const = 0;

  // Blocks until `deadline` on the steady clock. False if Interrupt() or `stop` ended the wait before that.
  bool WaitUntil(SteadyTime deadline) { return WaitUntil(deadline, std::stop_token()); }
  virtual bool WaitUntil(SteadyTime deadline, std::stop_token stop) = 0;

  // Ends all current and later waits on this clock, when the process stops. A single thread is stopped by its stop
  // token.
  virtual void Interrupt() = 0;
};

// A wait of one thread that other threads can end. Thread-safe; only one thread may wait.
class Wake {
 public:
  // Ends the current wait or, if there is none, the next one.
  void Signal() {
    std::stop_source wait;
    {
      MutexLock lock(mutex_);
      wait = wait_;
    }
    wait.request_stop();
  }

  // Waits until `deadline` on the clock. Returns true if it was signalled before that.
  bool WaitUntil(Clock& clock, SteadyTime deadline) {
    std::stop_token signalled;
    {
      MutexLock lock(mutex_);
      signalled = wait_.get_token();
    }
    clock.WaitUntil(deadline, signalled);
    if (!signalled.stop_requested()) return false;
    MutexLock lock(mutex_);
    wait_ = std::stop_source();
    return true;
  }

 private:
  Mutex mutex_;
  std::stop_source wait_ ABSL_GUARDED_BY(mutex_);  // signals by requesting its stop
};

// Wall time is CLOCK_REALTIME, steady time is CLOCK_BOOTTIME. If a deadline passes while the machine is suspended, the
// wait ends within 200 ms after that.
class RealClock final : public Clock {
 public:
  RealClock() = default;
  RealClock(const RealClock&) = delete;
  RealClock& operator=(const RealClock&) = delete;

  using Clock::WaitUntil;
  int64_t WallMs() const override;
  SteadyTime Steady() const override;
  bool WaitUntil(SteadyTime deadline, std::stop_token stop) override;
  void Interrupt() override;

 private:
  Mutex mutex_;
  CondVar condition_;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

// The current time in the form of gRPC's deadlines.
std::chrono::system_clock::time_point SystemTime();

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_CLOCK_H_
