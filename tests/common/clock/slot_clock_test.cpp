#include "common/clock/slot_clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace lean {
namespace {

constexpr int64_t kGenesisMs = 1'700'000'000'000;

SlotClock FourSecondSlots() { return SlotClock(1'700'000'000, 4000); }

TEST(SlotClock, SlotsAndIntervalsBeginOnTheirMillisecond) {
  const SlotClock clock = FourSecondSlots();
  EXPECT_EQ(clock.At(kGenesisMs), (SlotTime{0, 0}));
  EXPECT_EQ(clock.At(kGenesisMs + 999), (SlotTime{0, 0}));
  EXPECT_EQ(clock.At(kGenesisMs + 1000), (SlotTime{0, 1}));
  EXPECT_EQ(clock.At(kGenesisMs + 3999), (SlotTime{0, 3}));
  EXPECT_EQ(clock.At(kGenesisMs + 4000), (SlotTime{1, 0}));
  EXPECT_EQ(clock.At(kGenesisMs + 42'500), (SlotTime{10, 2}));
}

TEST(SlotClock, SlotsBeforeGenesisAreNegative) {
  const SlotClock clock = FourSecondSlots();
  EXPECT_EQ(clock.At(kGenesisMs - 1), (SlotTime{-1, 3}));
  EXPECT_EQ(clock.At(kGenesisMs - 4000), (SlotTime{-1, 0}));
  EXPECT_EQ(clock.At(kGenesisMs - 4001), (SlotTime{-2, 3}));
  EXPECT_EQ(clock.IntervalsAt(kGenesisMs - 1), 0u);
  EXPECT_EQ(clock.IntervalsAt(kGenesisMs), 0u);
  EXPECT_EQ(clock.IntervalsAt(kGenesisMs + 4000), 4u);
}

TEST(SlotClock, StartIsTheFirstMomentOfTheInterval) {
  const SlotClock clock(1'700'000'000, 400);
  EXPECT_EQ(clock.interval_duration_ms(), 100u);
  EXPECT_EQ(clock.slot_duration_ms(), 400u);
  EXPECT_EQ(clock.genesis_ms(), kGenesisMs);
  for (int64_t slot = -3; slot < 50; ++slot) {
    for (uint32_t interval = 0; interval < kIntervalsPerSlot; ++interval) {
      const int64_t start = clock.StartMs(slot, interval);
      EXPECT_EQ(clock.At(start), (SlotTime{slot, interval}));
      EXPECT_NE(clock.At(start - 1), (SlotTime{slot, interval}));
    }
  }
}

TEST(SlotClock, ExtremeTimesSaturate) {
  const SlotClock clock = FourSecondSlots();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(clock.StartMs(kMax, 3), kMax);
  EXPECT_EQ(clock.StartMs(kMin, 0), kMin);
  EXPECT_EQ(clock.StartMs(kMax / 4000, 0), kMax);
  EXPECT_LT(clock.At(kMin).slot, 0);
  EXPECT_GT(clock.At(kMax).slot, 0);
  EXPECT_EQ(clock.IntervalsAt(kMin), 0u);
}

}  // namespace
}  // namespace lean
