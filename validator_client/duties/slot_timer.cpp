#include "validator_client/duties/slot_timer.h"

#include <algorithm>

namespace lean::validator {
namespace {

// Intervals since genesis, negative before it.
int64_t IntervalIndex(const SlotTime& time) {
  return time.slot * static_cast<int64_t>(kIntervalsPerSlot) + time.interval;
}

}  // namespace

SlotTimer::SlotTimer(Clock& clock, const SlotClock& slots)
    : clock_(clock), slots_(slots), anchor_wall_ms_(clock.WallMs()), anchor_steady_(clock.Steady()) {
  last_index_ = IntervalIndex(Now());
}

SteadyTime SlotTimer::NextAt(std::optional<SteadyTime> no_later_than) const {
  const int64_t next = last_index_ + 1;
  const int64_t next_ms = slots_.genesis_ms() + next * static_cast<int64_t>(slots_.interval_duration_ms());
  const SteadyTime tick = anchor_steady_ + std::chrono::milliseconds(next_ms - anchor_wall_ms_);
  return std::min(tick, no_later_than.value_or(tick));
}

std::optional<SlotTimer::Wake> SlotTimer::Due(std::optional<SteadyTime> no_later_than) {
  const SlotTime now = Now();
  // A machine that was suspended may wake for `no_later_than` long after the tick: the tick comes first.
  if (const int64_t index = IntervalIndex(now); index > last_index_) {
    Wake wake{Wake::Kind::kTick, now, static_cast<uint64_t>(index - last_index_ - 1)};
    last_index_ = index;
    return wake;
  }
  if (no_later_than.has_value() && clock_.Steady() >= *no_later_than) return Wake{Wake::Kind::kEarly, now, 0};
  return std::nullopt;
}

int64_t SlotTimer::NowMs() const {
  return anchor_wall_ms_ +
         std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - anchor_steady_).count();
}

std::chrono::milliseconds SlotTimer::Until(int64_t slot, uint32_t interval) const {
  return std::chrono::milliseconds(slots_.StartMs(slot, interval) - NowMs());
}

std::chrono::milliseconds SlotTimer::UntilNextInterval() const {
  const SlotTime now = Now();
  return Until(now.slot, now.interval) + std::chrono::milliseconds(slots_.interval_duration_ms());
}

void SlotTimer::FollowWall() {
  anchor_wall_ms_ = clock_.WallMs();
  anchor_steady_ = clock_.Steady();
  const int64_t now = IntervalIndex(Now());
  if (last_index_ - now > static_cast<int64_t>(kIntervalsPerSlot)) last_index_ = now;
}

}  // namespace lean::validator
