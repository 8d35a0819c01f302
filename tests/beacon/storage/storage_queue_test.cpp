#include "beacon/storage/storage_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/common/patience.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::hours kNoLag{1};

ChainCheckpoints At(uint64_t slot) { return {.head = {.root = {}, .slot = slot}, .justified = {}, .finalized = {}}; }

uint64_t SlotOf(const StorageItem& item) { return std::get<ChainCheckpoints>(item).head.slot; }

TEST(StorageQueue, GivesItemsInOrderWithinABatchsBytes) {
  StorageQueue queue(100, kNoLag);
  for (uint64_t i = 0; i < 5; ++i) queue.Push(At(i), 30);
  auto batch = queue.Take(70, kPatience);
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ(SlotOf((*batch)[0]), 0u);
  EXPECT_EQ(SlotOf((*batch)[1]), 1u);
  queue.Done();
  EXPECT_EQ(queue.Take(1, kPatience)->size(), 1u) << "one at least";
}

TEST(StorageQueue, IsFullByItsBytesUntilTheyAreDoneAndTakesMoreNevertheless) {
  StorageQueue queue(100, kNoLag);
  queue.Push(At(1), 60);
  EXPECT_FALSE(queue.full());
  queue.Push(At(2), 60);
  EXPECT_TRUE(queue.full());
  queue.Push(At(3), 60);
  EXPECT_EQ(queue.Take(1000, kPatience)->size(), 3u);
  EXPECT_TRUE(queue.full()) << "taken is not done";
  EXPECT_EQ(queue.items(), 3u);
  queue.Done();
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(StorageQueue, IsFullWhenSomethingWaitsForTooLong) {
  StorageQueue queue(100, std::chrono::nanoseconds(1));
  EXPECT_FALSE(queue.full());
  queue.Push(At(1), 1);
  while (!queue.full()) std::this_thread::yield();
  queue.Take(10, kPatience);
  EXPECT_TRUE(queue.full()) << "taken is not done";
  queue.Done();
  EXPECT_FALSE(queue.full());
}

TEST(StorageQueue, HandsOutWhatItHoldsWhenClosedAndTakesNothingMore) {
  StorageQueue queue(100, kNoLag);
  queue.Push(At(1), 1);
  queue.Close();
  queue.Push(At(2), 1);
  EXPECT_EQ(queue.Take(100, kPatience)->size(), 1u);
  queue.Done();
  EXPECT_FALSE(queue.Take(100, kPatience).has_value());
}

TEST(StorageQueue, GivesNothingWhenNothingComesInTime) {
  StorageQueue queue(100, kNoLag);
  const auto nothing = queue.Take(100, std::chrono::milliseconds(1));
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->empty());
  queue.Done();
  queue.Push(At(1), 1);
  EXPECT_EQ(queue.Take(100, kPatience)->size(), 1u);
}

TEST(StorageQueue, WaitersSeeEverythingDone) {
  constexpr uint64_t kItems = 2000;
  StorageQueue queue(1000, kNoLag);
  uint64_t taken = 0;
  std::jthread writer([&] {
    while (const auto items = queue.Take(50, kPatience)) {
      for (const StorageItem& item : *items) EXPECT_EQ(SlotOf(item), taken++);
      queue.Done();
    }
  });
  for (uint64_t i = 0; i < kItems; ++i) {
    queue.Push(At(i), 10);
    queue.full();
  }
  queue.AwaitEmpty();
  EXPECT_EQ(queue.items(), 0u);
  queue.Close();
  writer.join();
  EXPECT_EQ(taken, kItems);
}

}  // namespace
}  // namespace lean::beacon
