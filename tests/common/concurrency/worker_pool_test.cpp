#include "common/concurrency/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace lean {
namespace {

TEST(WorkerPool, StopRunsWhatWasTaken) {
  std::atomic<int> ran = 0;
  WorkerPool pool(3, 1000);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(pool.TrySubmit([&] { ++ran; }), PushResult::kPushed);
  }
  pool.Stop();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(pool.TrySubmit([&] { ++ran; }), PushResult::kClosed);
  pool.Stop();
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerPool, AFullQueueTurnsTasksAway) {
  WorkerPool pool(1, 2);
  std::latch running(1);
  std::latch go(1);
  std::atomic<int> ran = 0;
  ASSERT_EQ(pool.TrySubmit([&] {
    running.count_down();
    go.wait();
  }),
            PushResult::kPushed);
  running.wait();
  EXPECT_EQ(pool.TrySubmit([&] { ++ran; }), PushResult::kPushed);
  EXPECT_EQ(pool.TrySubmit([&] { ++ran; }), PushResult::kPushed);
  EXPECT_EQ(pool.queued(), 2u);
  EXPECT_EQ(pool.TrySubmit([&] { ++ran; }), PushResult::kFull);
  go.count_down();
  pool.Stop();
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPool, TasksRunAtTheSameTime) {
  WorkerPool pool(2, 2);
  std::latch both(2);
  for (int i = 0; i < 2; ++i) pool.TrySubmit([&] { both.arrive_and_wait(); });
  both.wait();
}

TEST(WorkerPool, ATaskMaySubmitTasks) {
  std::latch done(10);
  WorkerPool pool(2, 16);
  ASSERT_EQ(pool.TrySubmit([&] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(pool.TrySubmit([&] { done.count_down(); }), PushResult::kPushed);
    }
  }),
            PushResult::kPushed);
  done.wait();
}

TEST(WorkerPool, WithoutThreadsItsOwnerRunsTheTasks) {
  std::vector<int> done;
  WorkerPool pool(0, 8);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(pool.TrySubmit([&, i] { done.push_back(i); }), PushResult::kPushed);
  }
  EXPECT_TRUE(done.empty());
  EXPECT_TRUE(pool.RunOne());
  EXPECT_EQ(done, (std::vector<int>{0}));
  pool.Stop();
  EXPECT_EQ(done, (std::vector<int>{0, 1}));
  EXPECT_FALSE(pool.RunOne());
}

}  // namespace
}  // namespace lean
