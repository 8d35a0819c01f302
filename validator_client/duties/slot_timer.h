// Tells its owner about the beginning of every interval.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_SLOT_TIMER_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_SLOT_TIMER_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"

namespace lean::validator {

// Tells its caller when each interval begins. Reads the wall clock once and then follows the steady clock, so
// that a jump of the wall clock neither repeats nor skips a slot. Skips and counts the intervals that pass while the
// machine is suspended. Not thread-safe.
class SlotTimer {
 public:
  struct Wake {
    enum class Kind {
      kTick,   // `time` has begun
      kEarly,  // `no_later_than` came first
    };
    Kind kind = Kind::kTick;
    SlotTime time;
    uint64_t missed = 0;  // intervals between the last tick and this one without a tick
  };

  // `clock` must outlive the timer. The first tick is the next interval to begin.
  SlotTimer(Clock& clock, const SlotClock& slots);

  // When the next interval begins, at most `no_later_than`: then Due has a value.
  SteadyTime NextAt(std::optional<SteadyTime> no_later_than) const;
  // What is due now; nullopt: it is too early. Ticks are strictly increasing, except after FollowWall.
  std::optional<Wake> Due(std::optional<SteadyTime> no_later_than);

  // Unix milliseconds by this timer.
  int64_t NowMs() const;
  SlotTime Now() const { return slots_.At(NowMs()); }

  // The time until an interval begins; negative when it has begun.
  std::chrono::milliseconds Until(int64_t slot, uint32_t interval) const;

  // The time until the next interval begins.
  std::chrono::milliseconds UntilNextInterval() const;

  // The wall clock minus NowMs(): how far the wall clock has jumped since the timer last followed it.
  int64_t WallDriftMs() const { return clock_.WallMs() - NowMs(); }

  // Takes the time from the wall clock again. An interval that had its tick does not get another one, unless the timer
  // would then be silent for more than a slot: then the clock was wrong before, and ticks continue from now.
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
