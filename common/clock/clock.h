// Time as it is injected everywhere: one wall clock, one steady clock, one way to wait.
#ifndef LEAN_COMMON_CLOCK_CLOCK_H_
#define LEAN_COMMON_CLOCK_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace lean {

using SteadyTime = std::chrono::steady_clock::time_point;

// Thread-safe. RealClock in processes, ManualClock in tests.
class Clock {
 public:
  virtual ~Clock() = default;

  // Unix time in milliseconds. May jump in either direction.
  virtual int64_t WallMs() const = 0;

  // Never goes back; counts time while the machine is suspended, too (CLOCK_BOOTTIME where there is one). Comparable
  // only with times of the same clock object, not with std::chrono::steady_clock::now().
  virtual SteadyTime Steady() const = 0;

  // Blocks until `deadline` on the steady clock. False if Interrupt() or `stop` ended the wait before that.
  bool WaitUntil(SteadyTime deadline) { return WaitUntil(deadline, std::stop_token()); }
  virtual bool WaitUntil(SteadyTime deadline, std::stop_token stop) = 0;

  // Ends every wait, now and later, on this clock: how a process stops. A single thread is stopped by its stop token.
  virtual void Interrupt() = 0;
};

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_CLOCK_H_
