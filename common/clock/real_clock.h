// The machine's clocks.
#ifndef LEAN_COMMON_CLOCK_REAL_CLOCK_H_
#define LEAN_COMMON_CLOCK_REAL_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean {

// Wall time from CLOCK_REALTIME, steady time from CLOCK_BOOTTIME. After the machine was suspended, a wait whose
// deadline has passed meanwhile ends within 200 ms.
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

// Now, as gRPC takes and tells its deadlines.
std::chrono::system_clock::time_point SystemTime();

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_REAL_CLOCK_H_
