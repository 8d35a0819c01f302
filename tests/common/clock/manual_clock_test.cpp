#include "common/clock/manual_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

namespace lean {
namespace {

using std::chrono::milliseconds;

TEST(ManualClock, StandsStillUntilAdvanced) {
  ManualClock clock(5000);
  const SteadyTime start = clock.Steady();
  EXPECT_EQ(clock.WallMs(), 5000);
  EXPECT_EQ(clock.Steady(), start);
  clock.Advance(milliseconds(250));
  EXPECT_EQ(clock.WallMs(), 5250);
  EXPECT_EQ(clock.Steady(), start + milliseconds(250));
}

TEST(ManualClock, SettingTheWallClockLeavesTheSteadyOne) {
  ManualClock clock(5000);
  const SteadyTime start = clock.Steady();
  clock.SetWallMs(-100);
  EXPECT_EQ(clock.WallMs(), -100);
  EXPECT_EQ(clock.Steady(), start);
}

TEST(ManualClock, AWaitForThePastEndsAtOnce) {
  ManualClock clock(0);
  EXPECT_TRUE(clock.WaitUntil(clock.Steady()));
}

TEST(ManualClock, WaitersWakeWhenTheirTimeComesAndNotBefore) {
  ManualClock clock(0);
  const SteadyTime start = clock.Steady();
  std::atomic<int> woken = 0;
  std::vector<std::jthread> threads;
  for (int i = 1; i <= 3; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_TRUE(clock.WaitUntil(start + milliseconds(100 * i)));
      ++woken;
    });
  }
  clock.AwaitWaiters(3);
  EXPECT_EQ(clock.NextDeadline(), start + milliseconds(100));
  clock.Advance(milliseconds(99));
  EXPECT_EQ(woken, 0);
  clock.Advance(milliseconds(1));
  threads[0].join();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(clock.NextDeadline(), start + milliseconds(200));
  clock.Advance(milliseconds(1000));
  threads[1].join();
  threads[2].join();
  EXPECT_EQ(woken, 3);
  EXPECT_EQ(clock.NextDeadline(), std::nullopt);
}

TEST(ManualClock, AwaitWaitersSeesALoopComeBackToRest) {
  ManualClock clock(0);
  std::atomic<int> rounds = 0;
  std::jthread loop([&] {
    while (clock.WaitUntil(clock.Steady() + milliseconds(10))) ++rounds;
  });
  for (int expected = 1; expected <= 50; ++expected) {
    clock.AwaitWaiters(1);
    clock.Advance(milliseconds(10));
    clock.AwaitWaiters(1);
    ASSERT_EQ(rounds, expected);
  }
  clock.Interrupt();
}

TEST(ManualClock, InterruptEndsEveryWaitNowAndLater) {
  ManualClock clock(0);
  std::jthread waiter([&] { EXPECT_FALSE(clock.WaitUntil(clock.Steady() + milliseconds(1))); });
  clock.AwaitWaiters(1);
  clock.Interrupt();
  waiter.join();
  EXPECT_FALSE(clock.WaitUntil(clock.Steady() + milliseconds(1)));
}

TEST(ManualClock, AStopTokenEndsOneWaitAlone) {
  ManualClock clock(0);
  std::jthread stopped(
      [&](std::stop_token stop) { EXPECT_FALSE(clock.WaitUntil(clock.Steady() + milliseconds(1), stop)); });
  std::jthread other([&] { EXPECT_TRUE(clock.WaitUntil(clock.Steady() + milliseconds(1))); });
  clock.AwaitWaiters(2);
  stopped.request_stop();
  stopped.join();
  clock.AwaitWaiters(1);
  clock.Advance(milliseconds(1));
}

TEST(Wake, ASignalEndsTheWaitUnderWay) {
  ManualClock clock(0);
  Wake wake;
  bool signalled = false;
  std::jthread waiter([&] { signalled = wake.WaitUntil(clock, clock.Steady() + milliseconds(10)); });
  clock.AwaitWaiters(1);
  wake.Signal();
  waiter.join();
  EXPECT_TRUE(signalled);
}

TEST(Wake, ASignalBeforeTheWaitEndsItOnce) {
  ManualClock clock(0);
  Wake wake;
  wake.Signal();
  wake.Signal();
  EXPECT_TRUE(wake.WaitUntil(clock, clock.Steady() + milliseconds(10)));
  std::jthread waiter([&] { EXPECT_FALSE(wake.WaitUntil(clock, clock.Steady() + milliseconds(10))); });
  clock.AwaitWaiters(1);
  clock.Advance(milliseconds(10));
}

}  // namespace
}  // namespace lean
