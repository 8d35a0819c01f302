#include "beacon/storage/storage_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "tests/common/patience.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::hours kNoLag{1};

ChainCheckpoints At(uint64_t slot) { return {.head = {.root = {}, .slot = slot}, .justified = {}, .finalized = {}}; }

uint64_t SlotOf(const StorageItem& item) { return std::get<ChainCheckpoints>(item).head.slot; }

TEST(StorageQueue, GivesItemsInOrderWithinABatchsBytes) {
  RealClock clock;
  StorageQueue queue(clock, 100, kNoLag);
  for (uint64_t i = 0; i < 5; ++i) queue.Push(At(i), 30);
  auto batch = queue.Take(70, kPatience);
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ(SlotOf((*batch)[0]), 0u);
  EXPECT_EQ(SlotOf((*batch)[1]), 1u);
  queue.Done();
  EXPECT_EQ(queue.Take(1, kPatience)->size(), 1u) << "one at least";
}

TEST(StorageQueue, IsFullByItsBytesUntilTheyAreDoneAndTakesMoreNevertheless) {
  RealClock clock;
  StorageQueue queue(clock, 100, kNoLag);
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
  ManualClock clock(0);
  StorageQueue queue(clock, 100, std::chrono::milliseconds(10));
  EXPECT_FALSE(queue.full());
  queue.Push(At(1), 1);
  clock.Advance(std::chrono::milliseconds(10));
  EXPECT_FALSE(queue.full());
  clock.Advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(queue.full());
  queue.Take(10, kPatience);
  EXPECT_TRUE(queue.full()) << "taken is not done";
  queue.Done();
  EXPECT_FALSE(queue.full());
}

TEST(StorageQueue, HandsOutWhatItHoldsWhenClosedAndTakesNothingMore) {
  RealClock clock;
  StorageQueue queue(clock, 100, kNoLag);
  queue.Push(At(1), 1);
  queue.Close();
  queue.Push(At(2), 1);
  EXPECT_EQ(queue.Take(100, kPatience)->size(), 1u);
  queue.Done();
  EXPECT_FALSE(queue.Take(100, kPatience).has_value());
}

TEST(StorageQueue, GivesNothingWhenNothingComesInTime) {
  ManualClock clock(0);
  StorageQueue queue(clock, 100, kNoLag);
  std::optional<std::vector<StorageItem>> nothing;
  std::jthread taker([&] { nothing = queue.Take(100, std::chrono::milliseconds(5)); });
  clock.AwaitWaiters(1);
  clock.Advance(std::chrono::milliseconds(5));
  taker.join();
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->empty());
  queue.Done();
}

TEST(StorageQueue, AnItemEndsTheWaitBeforeItsTime) {
  ManualClock clock(0);
  StorageQueue queue(clock, 100, kNoLag);
  std::optional<std::vector<StorageItem>> items;
  std::jthread taker([&] { items = queue.Take(100, std::chrono::milliseconds(5)); });
  clock.AwaitWaiters(1);
  queue.Push(At(1), 1);
  taker.join();
  EXPECT_EQ(items->size(), 1u);
}

TEST(StorageQueue, ClosingEndsTheWaitBeforeItsTime) {
  ManualClock clock(0);
  StorageQueue queue(clock, 100, kNoLag);
  std::optional<std::vector<StorageItem>> items(std::in_place);
  std::jthread taker([&] { items = queue.Take(100, std::chrono::milliseconds(5)); });
  clock.AwaitWaiters(1);
  queue.Close();
  taker.join();
  EXPECT_FALSE(items.has_value());
}

TEST(StorageQueue, WaitersSeeEverythingDone) {
  constexpr uint64_t kItems = 2000;
  RealClock clock;
  StorageQueue queue(clock, 1000, kNoLag);
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
