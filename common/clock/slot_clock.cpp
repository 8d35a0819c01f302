#include "common/clock/slot_clock.h"

#include <limits>

namespace lean {
namespace {

constexpr int64_t kIntervals = static_cast<int64_t>(kIntervalsPerSlot);

// Rounds down: division in C++ rounds toward zero, but slots before genesis are negative.
int64_t FloorDivide(int64_t dividend, int64_t divisor) {
  const int64_t quotient = dividend / divisor;
  return dividend % divisor < 0 ? quotient - 1 : quotient;
}

int64_t Saturated(bool negative) {
  return negative ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

}  // namespace

SlotClock::SlotClock(uint64_t genesis_time_s, uint64_t slot_duration_ms)
    : genesis_ms_(static_cast<int64_t>(genesis_time_s * 1000)),
      interval_ms_(static_cast<int64_t>(slot_duration_ms / kIntervalsPerSlot)) {}

int64_t SlotClock::IntervalIndexAt(int64_t wall_ms) const {
  int64_t since_genesis = 0;
  if (__builtin_sub_overflow(wall_ms, genesis_ms_, &since_genesis)) since_genesis = Saturated(wall_ms < 0);
  return FloorDivide(since_genesis, interval_ms_);
}

SlotTime SlotClock::At(int64_t wall_ms) const {
  const int64_t index = IntervalIndexAt(wall_ms);
  const int64_t slot = FloorDivide(index, kIntervals);
  return {slot, static_cast<uint32_t>(index - slot * kIntervals)};
}

uint64_t SlotClock::IntervalsAt(int64_t wall_ms) const {
  const int64_t index = IntervalIndexAt(wall_ms);
  return index < 0 ? 0 : static_cast<uint64_t>(index);
}

int64_t SlotClock::StartMs(int64_t slot, uint32_t interval) const {
  int64_t index = 0;
  int64_t since_genesis = 0;
  int64_t start = 0;
  if (__builtin_mul_overflow(slot, kIntervals, &index) || __builtin_add_overflow(index, interval, &index) ||
      __builtin_mul_overflow(index, interval_ms_, &since_genesis) ||
      __builtin_add_overflow(genesis_ms_, since_genesis, &start)) {
    return Saturated(slot < 0);
  }
  return start;
}

}  // namespace lean
