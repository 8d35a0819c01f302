// Wakes its owner at the beginning of every interval.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_SLOT_TIMER_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_SLOT_TIMER_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"

namespace lean::validator {

// Reads the wall clock once and keeps time by the steady clock from there, so that a jump of the wall clock neither
// repeats nor skips a slot. A machine that was suspended finds itself later: what it missed is skipped and counted.
// Not thread-safe.
class SlotTimer {
 public:
  struct Wake {
    enum class Kind {
      kTick,     // `time` has begun
      kEarly,    // `no_later_than` came first
      kStopped,  // the clock was interrupted
    };
    Kind kind = Kind::kStopped;
    SlotTime time;
    uint64_t missed = 0;  // intervals between the last tick and this one that got no tick of their own
  };

  // `clock` must outlive the timer. The first tick is the next interval to begin.
  SlotTimer(Clock& clock, const SlotClock& slots);

  // Blocks until the next interval begins, but no later than `no_later_than`. Ticks neither repeat nor go back, unless
  // FollowWall says so.
  Wake Next(std::optional<SteadyTime> no_later_than);

  // Unix milliseconds as this timer keeps them.
  int64_t NowMs() const;
  SlotTime Now() const { return slots_.At(NowMs()); }

  // Until an interval begins; negative once it has.
  std::chrono::milliseconds Until(int64_t slot, uint32_t interval) const;

  // Until the interval after the current one begins.
  std::chrono::milliseconds UntilNextInterval() const;

  // What the wall clock shows beyond NowMs(): how far it has jumped since the timer last followed it.
  int64_t WallDriftMs() const { return clock_.WallMs() - NowMs(); }

  // Takes the wall clock's time from now on. Intervals whose tick was given get no other one, unless that would silence
  // the timer for more than a slot: then the clock was wrong before, and ticks go on from now.
  void FollowWall();

  const SlotClock& slots() const { return slots_; }

 private:
  Clock& clock_;
  SlotClock slots_;
  int64_t anchor_wall_ms_;
  SteadyTime anchor_steady_;
  int64_t last_index_;  // of the last tick
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_SLOT_TIMER_H_
