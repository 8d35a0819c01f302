// Slots and intervals of a network as functions of wall time.
#ifndef LEAN_COMMON_CLOCK_SLOT_CLOCK_H_
#define LEAN_COMMON_CLOCK_SLOT_CLOCK_H_

#include <cstdint>

namespace lean {

inline constexpr uint64_t kIntervalsPerSlot = 4;

// A time as slot and interval. Interval 0: propose, 1: vote, 2: safe target, 3: accept votes.
struct SlotTime {
  int64_t slot = 0;       // negative before genesis
  uint32_t interval = 0;  // 0..3

  friend bool operator==(const SlotTime&, const SlotTime&) = default;
};

// Immutable value. All times are Unix milliseconds, all durations milliseconds.
class SlotClock {
 public:
  // genesis_time_s: Unix seconds, below 2^40 (ReadGenesisConfig refuses others).
  // slot_duration_ms: a positive multiple of 4 (ReadNetworkSpec refuses others).
  SlotClock(uint64_t genesis_time_s, uint64_t slot_duration_ms);

  SlotTime At(int64_t wall_ms) const;

  // Intervals since genesis, the chain's own unit of time; 0 before genesis.
  uint64_t IntervalsAt(int64_t wall_ms) const;

  // The start of an interval of a slot. A time beyond 64 bits gives the nearest one within them.
  int64_t StartMs(int64_t slot, uint32_t interval) const;

  int64_t genesis_ms() const { return genesis_ms_; }
  uint64_t slot_duration_ms() const { return static_cast<uint64_t>(interval_ms_) * kIntervalsPerSlot; }
  uint64_t interval_duration_ms() const { return static_cast<uint64_t>(interval_ms_); }

 private:
  int64_t IntervalIndexAt(int64_t wall_ms) const;  // negative before genesis

  int64_t genesis_ms_;
  int64_t interval_ms_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CLOCK_SLOT_CLOCK_H_
