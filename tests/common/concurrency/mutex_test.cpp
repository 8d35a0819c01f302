#include "common/concurrency/mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace lean {
namespace {

class Counter {
 public:
  void Add() {
    MutexLock lock(mutex_);
    ++value_;
    changed_.NotifyAll();
  }
  // Between the halves another thread may count.
  void AddTwice() {
    MutexLock lock(mutex_);
    ++value_;
    lock.Unlock();
    changed_.NotifyAll();
    lock.Lock();
    ++value_;
    changed_.NotifyAll();
  }
  int Get() {
    MutexLock lock(mutex_);
    return value_;
  }
  void Await(int value) {
    MutexLock lock(mutex_);
    changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_ >= value; });
  }
  bool AwaitOrStop(int value, std::stop_token stop) {
    MutexLock lock(mutex_);
    return changed_.Wait(mutex_, std::move(stop),
                         [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_ >= value; });
  }
  bool AwaitFor(int value, std::chrono::milliseconds time) {
    MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, time, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_ >= value; });
  }
  bool AwaitForOrStop(int value, std::stop_token stop, std::chrono::milliseconds time) {
    MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, std::move(stop), time,
                            [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_ >= value; });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(Mutex, OneThreadAtATimeHoldsIt) {
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) counter.Add();
        for (int n = 0; n < 500; ++n) counter.AddTwice();
      });
    }
  }
  EXPECT_EQ(counter.Get(), 8000);
}

TEST(CondVar, AWaitEndsWhenItsPredicateHolds) {
  Counter counter;
  std::jthread other([&] {
    for (int n = 0; n < 100; ++n) counter.Add();
  });
  counter.Await(100);
  EXPECT_TRUE(counter.AwaitOrStop(100, {}));
  EXPECT_TRUE(counter.AwaitFor(100, std::chrono::milliseconds(0)));
}

TEST(CondVar, AWaitEndsWhenItsTimeIsOver) {
  Counter counter;
  EXPECT_FALSE(counter.AwaitFor(1, std::chrono::milliseconds(5)));
  EXPECT_FALSE(counter.AwaitForOrStop(1, {}, std::chrono::milliseconds(5)));
}

TEST(CondVar, AWaitEndsWhenItIsStopped) {
  Counter counter;
  std::stop_source stop;
  std::jthread other([&] { stop.request_stop(); });
  EXPECT_FALSE(counter.AwaitOrStop(1, stop.get_token()));
  EXPECT_FALSE(counter.AwaitForOrStop(1, stop.get_token(), std::chrono::hours(1)));
}

TEST(SharedMutex, ReadersSeeWhatAWriterWroteAsAWhole) {
  SharedMutex mutex;
  int a = 0;
  int b = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        ReaderLock lock(mutex);
        ASSERT_EQ(a, b);
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    WriterLock lock(mutex);
    ++a;
    ++b;
  }
  done = true;
}

// Two readers that hand over to each other, so that the lock is never free of readers: with a lock that prefers
// readers the writer waits until they stop by themselves.
TEST(SharedMutex, AWriterGetsInBetweenOverlappingReaders) {
  SharedMutex mutex;
  std::atomic<bool> written = false;
  std::atomic<int> inside = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!written) {
        ReaderLock lock(mutex);
        ++inside;
        // Stay until the other one is in as well, or a writer holds it back.
        for (int spins = 0; spins < 1000 && inside < 2 && !written; ++spins) std::this_thread::yield();
        --inside;
      }
    });
  }
  WriterLock lock(mutex);
  written = true;
}

}  // namespace
}  // namespace lean
