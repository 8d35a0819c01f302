#include "common/clock/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <thread>

namespace lean {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(RealClock, WaitEndsAtOrAfterItsDeadline) {
  RealClock clock;
  const SteadyTime deadline = clock.Steady() + milliseconds(20);
  EXPECT_TRUE(clock.WaitUntil(deadline));
  EXPECT_GE(clock.Steady(), deadline);
}

TEST(RealClock, AWaitLongerThanOnePieceIsNotCutShort) {
  RealClock clock;
  const SteadyTime deadline = clock.Steady() + milliseconds(450);
  EXPECT_TRUE(clock.WaitUntil(deadline));
  EXPECT_GE(clock.Steady(), deadline);
}

TEST(RealClock, TheWallClockIsUnixTime) {
  RealClock clock;
  const int64_t before = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_GE(clock.WallMs() / 1000, before);
  EXPECT_LE(clock.WallMs() / 1000, before + 3600);
}

TEST(RealClock, InterruptEndsALongWaitAndEveryLaterOne) {
  RealClock clock;
  std::jthread waiter([&] { EXPECT_FALSE(clock.WaitUntil(clock.Steady() + hours(24 * 365))); });
  clock.Interrupt();
  waiter.join();
  EXPECT_FALSE(clock.WaitUntil(clock.Steady() + hours(1)));
  EXPECT_FALSE(clock.WaitUntil(SteadyTime::max()));
}

TEST(RealClock, AStopTokenEndsItsWait) {
  RealClock clock;
  std::jthread waiter(
      [&](std::stop_token stop) { EXPECT_FALSE(clock.WaitUntil(clock.Steady() + hours(24 * 365), stop)); });
  waiter.request_stop();
}

}  // namespace
}  // namespace lean
