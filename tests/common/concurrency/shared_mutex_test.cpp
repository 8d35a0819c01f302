#include "common/concurrency/shared_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace lean {
namespace {

TEST(SharedMutex, ReadersSeeWhatAWriterWroteAsAWhole) {
  SharedMutex mutex;
  int a = 0;
  int b = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        std::shared_lock lock(mutex);
        ASSERT_EQ(a, b);
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    std::unique_lock lock(mutex);
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
        std::shared_lock lock(mutex);
        ++inside;
        // Stay until the other one is in as well, or a writer holds it back.
        for (int spins = 0; spins < 1000 && inside < 2 && !written; ++spins) std::this_thread::yield();
        --inside;
      }
    });
  }
  std::unique_lock lock(mutex);
  written = true;
}

}  // namespace
}  // namespace lean
