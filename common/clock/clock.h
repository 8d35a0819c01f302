// Time as it is injected everywhere: one wall clock, one steady clock, one way to wait.
#ifndef LEAN_COMMON_CLOCK_CLOCK_H_
#define LEAN_COMMON_CLOCK_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace lean {

using SteadyTime = std::chrono::steady_clock::time_point;

// Thread-safe. RealClock in processes, ManualClock in tests.
class Clock {
 public:
  virtual ~Clock() = default;

  // Unix time in milliseconds. May jump in either direction.
  virtual int64_t WallMs() const = 0;

  // Never goes back; counts time while the machine is suspended, too (CLOCK_BOOTTIME where there is one).
  virtual SteadyTime Steady() const = 0;

  // Blocks until `deadline` on the steady clock, or until Interrupt(). False if it was interrupted.
  virtual bool WaitUntil(SteadyTime deadline) = 0;

  // Ends every wait, now and later, on this clock: how a process stops.
  virtual void Interrupt() = 0;
};

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_CLOCK_H_
