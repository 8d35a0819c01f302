#include "tests/validator_client/support/memory_signing_records.h"

#include <thread>

#include "absl/strings/match.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

absl::Status ReserveOne(SigningRecords& records, uint64_t key, uint64_t slot, uint8_t root) {
  ASSIGN_OR_RETURN(const auto results, records.Reserve({SigningRequest{FakePubkey(key), slot, FakeRoot(root)}}));
  if (results.size() != 1) return absl::InternalError("not one result");
  return results.front();
}

TEST(MemorySigningRecords, GrantsOneRootALeaf) {
  MemorySigningRecords records;
  EXPECT_TRUE(ReserveOne(records, 0, 5, 1).ok());
  const absl::Status again = ReserveOne(records, 0, 5, 2);
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(again.message(), "already signed another root (0x0101…01, asked for 0x0202…02)"))
      << again;
}

TEST(MemorySigningRecords, GrantsTheSameRootAgain) {
  MemorySigningRecords records;
  EXPECT_TRUE(ReserveOne(records, 0, 5, 1).ok());
  EXPECT_TRUE(ReserveOne(records, 0, 5, 1).ok());
}

TEST(MemorySigningRecords, RefusesSlotsBelowTheHighest) {
  MemorySigningRecords records;
  EXPECT_TRUE(ReserveOne(records, 0, 5, 1).ok());
  EXPECT_TRUE(ReserveOne(records, 0, 7, 2).ok());
  EXPECT_EQ(ReserveOne(records, 0, 6, 3).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReserveOne(records, 0, 5, 1).code(), absl::StatusCode::kFailedPrecondition) << "not even the same root";
  EXPECT_TRUE(ReserveOne(records, 0, 7, 2).ok()) << "a refusal changes nothing";
}

TEST(MemorySigningRecords, KeepsKeysApart) {
  MemorySigningRecords records;
  EXPECT_TRUE(ReserveOne(records, 0, 9, 1).ok());
  EXPECT_TRUE(ReserveOne(records, 1, 5, 2).ok());
  EXPECT_EQ(*records.HighestSlot(FakePubkey(0)), 9);
  EXPECT_EQ(*records.HighestSlot(FakePubkey(1)), 5);
  EXPECT_EQ(*records.HighestSlot(FakePubkey(2)), std::nullopt);
}

TEST(MemorySigningRecords, AnswersEachOfABatchInOrder) {
  MemorySigningRecords records;
  const auto results =
      records.Reserve({SigningRequest{FakePubkey(0), 5, FakeRoot(1)}, SigningRequest{FakePubkey(0), 5, FakeRoot(2)},
                       SigningRequest{FakePubkey(1), 5, FakeRoot(2)}});
  ASSERT_TRUE(results.ok());
  ASSERT_EQ(results->size(), 3);
  EXPECT_TRUE((*results)[0].ok());
  EXPECT_FALSE((*results)[1].ok()) << "two roots of one leaf within a batch";
  EXPECT_TRUE((*results)[2].ok());
}

TEST(MemorySigningRecordsThreads, OneOfManyRacersWinsEachLeaf) {
  MemorySigningRecords records;
  constexpr int kThreads = 4;
  constexpr int kSlots = 200;
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int slot = 1; slot <= kSlots; ++slot) {
        if (ReserveOne(records, 0, slot, static_cast<uint8_t>(i + 1)).ok()) ++granted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(granted, kSlots);
  EXPECT_GE(granted, 1);
  EXPECT_EQ(*records.HighestSlot(FakePubkey(0)), kSlots);
}

}  // namespace
}  // namespace lean::validator
