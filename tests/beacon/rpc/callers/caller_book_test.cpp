#include "beacon/rpc/callers/caller_book.h"

#include <memory>
#include <string>
#include <vector>

#include "common/clock/manual_clock.h"
#include "common/containers/limits.h"
#include "common/rpc/wire/message_limits.h"
#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

using rpc::Caller;
using rpc::Rank;

class CallerBookTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kSlot{4000};
  static constexpr size_t kBatchBytes = 13'400'000;  // of 4,096 votes

  static Caller Connection(int port) {
    return {.host = "ipv4:127.0.0.1", .connection = "ipv4:127.0.0.1:" + std::to_string(port)};
  }

  ManualClock clock_{0};
  const std::shared_ptr<CallerBook> shared_ = std::make_shared<CallerBook>(clock_, kSlot, kValidatorRegistryLimit);
  CallerBook& book_ = *shared_;
};

TEST_F(CallerBookTest, SignaturesMakeCallersGoodOrBad) {
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kUnknown);
  book_.Count(Connection(1), 1, 0);
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kGood);
  // One key of several is not the registry's.
  book_.Count(Connection(1), 10, 1);
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kGood);
  book_.Count(Connection(2), 0, 1);
  EXPECT_EQ(book_.RankOf(Connection(2)), Rank::kBad);
  // What is known of a connection says nothing of another one of its host.
  EXPECT_EQ(book_.RankOf(Connection(3)), Rank::kUnknown);
  // A right one does not buy many wrong ones.
  book_.Count(Connection(4), 1, 0);
  book_.Count(Connection(4), 0, 2);
  EXPECT_EQ(book_.RankOf(Connection(4)), Rank::kBad);
}

TEST_F(CallerBookTest, ACertificateStandsForAllItsConnections) {
  const Caller first{.host = "cert:client", .connection = "ipv4:10.0.0.1:1"};
  const Caller second{.host = "cert:client", .connection = "ipv4:10.0.0.2:2"};
  book_.Count(first, 0, 1);
  EXPECT_EQ(book_.RankOf(second), Rank::kBad);
}

TEST_F(CallerBookTest, WhatIsKnownFades) {
  book_.Count(Connection(1), 0, 3);
  book_.Count(Connection(2), 3, 0);
  clock_.Advance(kSlot * (2 * CallerBook::kSlots + 1));
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kUnknown);
  EXPECT_EQ(book_.RankOf(Connection(2)), Rank::kUnknown);
  book_.Count(Connection(1), 4, 0);
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kGood);
}

TEST_F(CallerBookTest, AShareOfTheSlotIsAllThatACallerMaySend) {
  // Two blocks and two batches, each with all votes, whatever happens.
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(book_.TakeShare(Connection(1), kBatchBytes)) << i;
  int more = 0;
  while (book_.TakeShare(Connection(1), kBatchBytes)) ++more;
  EXPECT_LT(more, 4);
  EXPECT_TRUE(book_.TakeShare(Connection(2), kBatchBytes));
  clock_.Advance(kSlot);
  EXPECT_TRUE(book_.TakeShare(Connection(1), kBatchBytes));
  // A bad one's is all votes, once.
  book_.Count(Connection(3), 0, 16);
  EXPECT_TRUE(book_.TakeShare(Connection(3), kBatchBytes));
  EXPECT_FALSE(book_.TakeShare(Connection(3), kBatchBytes));
}

TEST_F(CallerBookTest, ASmallRegistryLeavesABadCallerLittle) {
  CallerBook book(clock_, kSlot, 4);
  EXPECT_TRUE(book.TakeShare(Connection(1), kBatchBytes));
  book.Count(Connection(1), 0, 16);
  EXPECT_FALSE(book.TakeShare(Connection(1), kBatchBytes));
  clock_.Advance(kSlot * 100);
  EXPECT_TRUE(book.TakeShare(Connection(2), rpc::kMaxMessageBytes));
}

TEST_F(CallerBookTest, ACallerMakesSoManyCallsInASlot) {
  for (int i = 0; i < CallerBook::kCalls; ++i) ASSERT_TRUE(book_.TakeCall(Connection(1))) << i;
  EXPECT_FALSE(book_.TakeCall(Connection(1)));
  EXPECT_TRUE(book_.TakeCall(Connection(2)));
  clock_.Advance(kSlot / 2);
  for (int i = 0; i < CallerBook::kCalls / 2; ++i) ASSERT_TRUE(book_.TakeCall(Connection(1))) << i;
  EXPECT_FALSE(book_.TakeCall(Connection(1)));
}

TEST_F(CallerBookTest, ACallerBuildsSoManyBlocksInASlotAndAtOnce) {
  std::vector<std::shared_ptr<void>> builds;
  for (int i = 0; i < CallerBook::kBuildsAtOnce; ++i) builds.push_back(book_.TakeBuild(Connection(1)));
  for (const auto& build : builds) EXPECT_NE(build, nullptr);
  EXPECT_EQ(book_.TakeBuild(Connection(1)), nullptr);
  EXPECT_NE(book_.TakeBuild(Connection(2)), nullptr);
  builds.pop_back();
  for (int i = CallerBook::kBuildsAtOnce; i < CallerBook::kBuilds; ++i) {
    ASSERT_NE(book_.TakeBuild(Connection(1)), nullptr) << i;  // and it ends
  }
  EXPECT_EQ(book_.TakeBuild(Connection(1)), nullptr);
  clock_.Advance(kSlot);
  EXPECT_NE(book_.TakeBuild(Connection(1)), nullptr);
}

TEST_F(CallerBookTest, CallersAreBoundedAndGoodOnesAreForgottenLast) {
  book_.Count(Connection(0), 1, 0);
  for (int port = 1; port < 20'000; ++port) {
    clock_.Advance(std::chrono::milliseconds(1));
    book_.Count(Connection(port), 0, 1);
  }
  EXPECT_EQ(book_.RankOf(Connection(0)), Rank::kGood);
  EXPECT_EQ(book_.RankOf(Connection(1)), Rank::kUnknown);
  EXPECT_EQ(book_.RankOf(Connection(19'999)), Rank::kBad);
}

}  // namespace
}  // namespace lean::beacon
