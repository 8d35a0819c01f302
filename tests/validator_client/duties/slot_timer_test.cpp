#include "validator_client/duties/slot_timer.h"

#include "common/clock/manual_clock.h"
#include "gtest/gtest.h"

namespace lean::validator {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Kind = SlotTimer::Wake::Kind;

constexpr uint64_t kGenesis = 1'700'000'000;
constexpr int64_t kGenesisMs = int64_t{1'700'000'000} * 1000;
constexpr uint64_t kSlotMs = 4000;

// A clock at `ms` after genesis, and a timer on it.
struct Bench {
  explicit Bench(int64_t ms) : clock(kGenesisMs + ms), timer(clock, SlotClock(kGenesis, kSlotMs)) {}

  // The wake-up after `duration` has passed, as if the thread had slept all that time.
  SlotTimer::Wake After(milliseconds duration) {
    clock.Advance(duration);
    return timer.Due(clock.Steady()).value();
  }

  ManualClock clock;
  SlotTimer timer;
};

TEST(SlotTimer, TicksOnceAtTheBeginningOfEachInterval) {
  Bench bench(200);  // within interval 0 of slot 0
  EXPECT_EQ(bench.After(milliseconds(799)).kind, Kind::kEarly);
  for (int64_t i = 1; i < 12; ++i) {
    const SlotTimer::Wake wake = bench.After(milliseconds(i == 1 ? 1 : 1000));
    ASSERT_EQ(wake.kind, Kind::kTick);
    EXPECT_EQ(wake.time, (SlotTime{i / 4, static_cast<uint32_t>(i % 4)}));
    EXPECT_EQ(wake.missed, 0);
    EXPECT_EQ(bench.timer.Due(bench.clock.Steady())->kind, Kind::kEarly) << "no second tick of one interval";
  }
}

TEST(SlotTimer, CountsDownToGenesis) {
  Bench bench(-1500);
  EXPECT_EQ(bench.After(milliseconds(500)).time, (SlotTime{-1, 3}));
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{0, 0}));
}

TEST(SlotTimer, SkipsWhatItMissedAndCountsIt) {
  Bench bench(0);
  bench.After(milliseconds(1000));
  const SlotTimer::Wake wake = bench.After(milliseconds(8300));  // a suspended machine
  ASSERT_EQ(wake.kind, Kind::kTick);
  EXPECT_EQ(wake.time, (SlotTime{2, 1}));
  EXPECT_EQ(wake.missed, 7);
  EXPECT_EQ(bench.After(milliseconds(700)).time, (SlotTime{2, 2}));
}

TEST(SlotTimer, KeepsTimeWhenTheWallClockJumpsBack) {
  Bench bench(0);
  bench.After(milliseconds(1000));
  bench.clock.SetWallMs(kGenesisMs - 3'600'000);
  EXPECT_EQ(bench.timer.NowMs(), kGenesisMs + 1000);
  EXPECT_EQ(bench.timer.WallDriftMs(), -3'601'000);
  const SlotTimer::Wake wake = bench.After(milliseconds(1000));
  EXPECT_EQ(wake.time, (SlotTime{0, 2}));
  EXPECT_EQ(wake.missed, 0);
}

TEST(SlotTimer, KeepsTimeWhenTheWallClockJumpsForward) {
  Bench bench(0);
  bench.clock.SetWallMs(kGenesisMs + 86'400'000);
  const SlotTimer::Wake wake = bench.After(milliseconds(1000));
  EXPECT_EQ(wake.time, (SlotTime{0, 1}));
  EXPECT_EQ(wake.missed, 0);
}

TEST(SlotTimer, FollowsTheWallClockForwardOnRequest) {
  Bench bench(0);
  bench.clock.SetWallMs(kGenesisMs + 40'000);
  bench.timer.FollowWall();
  const SlotTimer::Wake wake = bench.After(milliseconds(0));
  EXPECT_EQ(wake.time, (SlotTime{10, 0}));
  EXPECT_EQ(wake.missed, 39);
}

TEST(SlotTimer, TicksNoIntervalAgainWhenItFollowsTheWallClockBackByASlot) {
  Bench bench(40'000);
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{10, 1}));
  bench.clock.SetWallMs(kGenesisMs + 37'000);
  bench.timer.FollowWall();
  EXPECT_EQ(bench.After(milliseconds(4000)).kind, Kind::kEarly) << "slot 10, interval 1 has had its tick";
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{10, 2}));
}

TEST(SlotTimer, GoesOnAtOnceWhenTheWallClockWasHoursAhead) {
  Bench bench(40'000);
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{10, 1}));
  bench.clock.SetWallMs(kGenesisMs + 7'241'000);
  bench.timer.FollowWall();
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{1810, 2}));
  bench.clock.SetWallMs(kGenesisMs + 42'000);
  bench.timer.FollowWall();
  EXPECT_EQ(bench.After(milliseconds(1000)).time, (SlotTime{10, 3}));
}

TEST(SlotTimer, SaysHowLongUntilAnInterval) {
  Bench bench(5300);
  EXPECT_EQ(bench.timer.Until(1, 2), milliseconds(700));
  EXPECT_EQ(bench.timer.Until(1, 0), milliseconds(-1300));
  EXPECT_EQ(bench.timer.UntilNextInterval(), milliseconds(700));
}

TEST(SlotTimer, SaysWhenTheNextIntervalBegins) {
  Bench bench(250);
  const SteadyTime now = bench.clock.Steady();
  EXPECT_EQ(bench.timer.NextAt(std::nullopt), now + milliseconds(750));
  EXPECT_EQ(bench.timer.NextAt(now + milliseconds(10)), now + milliseconds(10));
  EXPECT_EQ(bench.timer.NextAt(now + milliseconds(1000)), now + milliseconds(750));
  EXPECT_FALSE(bench.timer.Due(std::nullopt).has_value());
  EXPECT_FALSE(bench.timer.Due(now + milliseconds(10)).has_value());
}

}  // namespace
}  // namespace lean::validator
