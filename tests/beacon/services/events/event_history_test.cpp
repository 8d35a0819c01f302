#include "beacon/services/events/event_history.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "tests/common/patience.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kThisRun = 7;
const EventKinds kEveryKind = EventKinds().set();

EventKinds Only(EventKind kind) { return EventKinds().set(static_cast<size_t>(kind)); }

BlockImported BlockOfSlot(uint64_t slot) {
  BlockImported event;
  event.id.slot = slot;
  return event;
}

VotesAccepted VotesOf(uint64_t slot, size_t count) {
  VotesAccepted event;
  for (size_t i = 0; i < count; ++i) {
    event.votes.emplace_back().validator_id = i;
    event.votes.back().data.slot = slot;
  }
  return event;
}

std::vector<uint64_t> SlotsOfBlocks(const EventReader::Batch& batch) {
  std::vector<uint64_t> slots;
  for (const EventSlice& slice : batch.slices) slots.push_back(std::get<BlockImported>(*slice.event).id.slot);
  return slots;
}

TEST(EventCursorTest, IsWrittenAndReadAsText) {
  const EventCursor cursor{.run = 18'446'744'073'709'551'615U, .number = 18'446'744'073'709'551'615U};
  EXPECT_EQ(EventCursor::Parse(cursor.ToString()).value(), cursor);
  EXPECT_LE(cursor.ToString().size(), 48U);
  for (const char* text : {"", "-", "7", "7-", "-7", "7-x", "7-8-9", "07-8", "18446744073709551616-1", " 7-8"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(EventCursor::Parse(text).status())) << text;
  }
}

TEST(EventHistoryTest, AReaderGetsWhatIsAddedAfterItHasBegun) {
  EventHistory history(kThisRun);
  history.Add(BlockOfSlot(1));
  EventReader reader(history, kEveryKind, std::nullopt);
  EXPECT_TRUE(reader.Read(10).empty());
  history.Add(BlockOfSlot(2));
  history.Add(BlockOfSlot(3));
  const EventReader::Batch batch = reader.Read(10);
  EXPECT_EQ(SlotsOfBlocks(batch), (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(batch.lost, 0U);
  EXPECT_EQ(reader.CursorOf(batch.slices[1].first), (EventCursor{kThisRun, 3}));
  EXPECT_TRUE(reader.Read(10).empty());
}

TEST(EventHistoryTest, EveryVoteOfABatchIsAnEvent) {
  EventHistory history(kThisRun);
  EventReader reader(history, kEveryKind, std::nullopt);
  history.Add(VotesOf(5, 10));
  history.Add(BlockOfSlot(6));
  const EventReader::Batch first = reader.Read(4);
  ASSERT_EQ(first.slices.size(), 1U);
  EXPECT_EQ(first.slices[0].begin, 0U);
  EXPECT_EQ(first.slices[0].end, 4U);
  EXPECT_EQ(first.slices[0].first, 1U);
  EXPECT_TRUE(reader.behind());
  const EventReader::Batch rest = reader.Read(100);
  ASSERT_EQ(rest.slices.size(), 2U);
  EXPECT_EQ(rest.slices[0].begin, 4U);
  EXPECT_EQ(rest.slices[0].end, 10U);
  EXPECT_EQ(rest.slices[0].first, 5U);
  EXPECT_EQ(rest.slices[1].first, 11U);
  EXPECT_FALSE(reader.behind());
}

TEST(EventHistoryTest, AReaderGetsTheKindsItWants) {
  EventHistory history(kThisRun);
  EventReader blocks(history, Only(EventKind::kBlock), std::nullopt);
  EventReader votes(history, Only(EventKind::kVote), std::nullopt);
  history.Add(VotesOf(1, 3));
  history.Add(BlockOfSlot(1));
  EXPECT_EQ(SlotsOfBlocks(blocks.Read(10)), std::vector<uint64_t>{1});
  const EventReader::Batch batch = votes.Read(10);
  ASSERT_EQ(batch.slices.size(), 1U);
  EXPECT_EQ(batch.slices[0].size(), 3U);
}

TEST(EventHistoryTest, AReaderContinuesAfterACursorInTheMiddleOfABatch) {
  EventHistory history(kThisRun);
  history.Add(VotesOf(1, 10));
  history.Add(BlockOfSlot(1));
  EventReader reader(history, kEveryKind, EventCursor{kThisRun, 7});
  const EventReader::Batch batch = reader.Read(100);
  EXPECT_FALSE(batch.restarted);
  EXPECT_EQ(batch.lost, 0U);
  ASSERT_EQ(batch.slices.size(), 2U);
  EXPECT_EQ(batch.slices[0].first, 8U);
  EXPECT_EQ(batch.slices[0].size(), 3U);
}

TEST(EventHistoryTest, ACursorOfAnotherRunIsTold) {
  EventHistory history(kThisRun);
  history.Add(BlockOfSlot(1));
  for (const EventCursor cursor : {EventCursor{kThisRun + 1, 1}, EventCursor{kThisRun, 2}}) {
    EventReader reader(history, kEveryKind, cursor);
    const EventReader::Batch batch = reader.Read(10);
    EXPECT_TRUE(batch.restarted);
    EXPECT_EQ(SlotsOfBlocks(batch), std::vector<uint64_t>{1});
    EXPECT_FALSE(reader.Read(10).restarted);
  }
}

TEST(EventHistoryTest, TheBudgetBoundsTheHistory) {
  constexpr size_t kBudget = 100'000;
  EventHistory history(kThisRun, kBudget);
  for (uint64_t slot = 0; slot < 200; ++slot) {
    history.Add(VotesOf(slot, 50));
    EXPECT_LE(history.footprint().bytes, kBudget);
  }
  EXPECT_GT(history.footprint().bytes, kBudget / 2);
  EXPECT_GT(history.footprint().items, 2U);
  history.Add(VotesOf(1, 4096));  // larger than all of it
  EXPECT_EQ(history.footprint().bytes, 0U);
  EXPECT_EQ(history.added(), 200U * 50 + 4096);
}

TEST(EventHistoryTest, ASlowReaderIsToldHowManyEventsOfItsKindsItHasLost) {
  EventHistory history(kThisRun, 100'000);
  EventReader blocks(history, Only(EventKind::kBlock), std::nullopt);
  EventReader all(history, kEveryKind, std::nullopt);
  uint64_t added = 0;
  for (uint64_t slot = 0; slot < 100; ++slot) {
    history.Add(BlockOfSlot(slot));
    history.Add(VotesOf(slot, 50));
    added += 51;
  }
  EventReader::Batch batch = blocks.Read(1000);
  EXPECT_GT(batch.lost, 0U);
  EXPECT_EQ(batch.lost + batch.slices.size(), 100U);
  batch = all.Read(100'000);
  uint64_t read = 0;
  for (const EventSlice& slice : batch.slices) read += slice.size();
  EXPECT_EQ(batch.lost + read, added);
  EXPECT_EQ(blocks.Read(10).lost, 0U);  // told once
}

TEST(EventHistoryTest, ACursorOlderThanTheHistoryHasLostEventsOfAllKinds) {
  EventHistory history(kThisRun, 100'000);
  for (uint64_t slot = 0; slot < 100; ++slot) history.Add(VotesOf(slot, 50));
  EventReader blocks(history, Only(EventKind::kBlock), EventCursor{kThisRun, 1});
  const EventReader::Batch lost = blocks.Read(10);
  EXPECT_FALSE(lost.restarted);
  EXPECT_GT(lost.lost, 1000U);
  history.Add(BlockOfSlot(3));
  for (uint64_t slot = 0; slot < 100; ++slot) history.Add(VotesOf(slot, 50));
  EXPECT_EQ(blocks.Read(10).lost, 1U);  // from here on of its kinds
}

TEST(EventHistoryTest, WatchersAreCalledUntilTheyAreRemoved) {
  EventHistory history(kThisRun);
  std::atomic<int> calls = 0;
  std::promise<void> called;
  const EventHistory::WatchId watch = history.Watch([&] {
    if (calls++ == 0) called.set_value();
  });
  history.Add(BlockOfSlot(1));
  ASSERT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
  history.Unwatch(watch);
  const int before = calls;
  std::promise<void> other_called;
  history.Watch([&, once = true]() mutable {
    if (std::exchange(once, false)) other_called.set_value();
  });
  history.Add(BlockOfSlot(2));
  ASSERT_EQ(other_called.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(calls, before);
}

// Every reader accounts for every event, in order, while others write.
TEST(EventHistoryTest, ReadersAndWritersRunAtTheSameTime) {
  EventHistory history(kThisRun, 200'000);
  constexpr uint64_t kBatches = 500;
  constexpr size_t kWriters = 2;
  constexpr uint64_t kEvents = kWriters * kBatches * 21;
  std::vector<std::thread> threads;
  std::atomic<bool> in_order = true;
  std::array<uint64_t, 3> accounted{};
  for (uint64_t& count : accounted) {
    threads.emplace_back([&count, &in_order, reader = EventReader(history, kEveryKind, std::nullopt)]() mutable {
      uint64_t last = 0;
      while (count < kEvents) {
        const EventReader::Batch batch = reader.Read(64);
        count += batch.lost;
        for (const EventSlice& slice : batch.slices) {
          if (slice.first <= last) in_order = false;
          last = slice.first + slice.size() - 1;
          count += slice.size();
        }
      }
    });
  }
  for (size_t i = 0; i < kWriters; ++i) {
    threads.emplace_back([&history] {
      for (uint64_t batch = 0; batch < kBatches; ++batch) {
        history.Add(VotesOf(batch, 20));
        history.Add(BlockOfSlot(batch));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const uint64_t count : accounted) EXPECT_EQ(count, kEvents);
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace lean::beacon
