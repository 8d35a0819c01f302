#include "beacon/sync/range/range_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/beacon/services/support/chain_source.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kSlots = 40;

PeerInfo PeerAt(uint64_t id, uint64_t head_slot = kSlots) {
  PeerInfo peer;
  peer.id = id;
  peer.head.slot = head_slot;
  return peer;
}

// Blocks at all slots but every seventh.
class RangePlanTest : public testing::Test {
 protected:
  RangePlanTest() {
    ChainSource source(ChainSource::TestGenesis(4, 1'700'000'000));
    for (uint64_t slot = 1; slot <= kSlots; ++slot) {
      if (slot % 7 != 0) blocks_[slot] = source.AddBlock(slot);
    }
  }

  std::vector<SignedBlockPtr> Range(uint64_t first, uint64_t count, size_t most = 1000) const {
    std::vector<SignedBlockPtr> range;
    for (auto it = blocks_.lower_bound(first); it != blocks_.end() && it->first < first + count; ++it) {
      if (range.size() < most) range.push_back(it->second);
    }
    return range;
  }

  std::vector<RangePlan::Ask> Next(RangePlan& plan, const std::vector<PeerInfo>& peers) {
    std::map<uint64_t, int> asked;
    return plan.Next(
        peers, [&](uint64_t peer) { return asked[peer]++ < 2; }, now_);
  }

  static std::vector<uint64_t> SlotsOf(const std::optional<RangePlan::Ready>& ready) {
    std::vector<uint64_t> slots;
    if (!ready.has_value()) return slots;
    for (const SignedBlockPtr& block : ready->blocks) slots.push_back(block->message.block.slot);
    return slots;
  }

  RangePlanOptions options_{.batch_slots = 5, .window = 4, .max_bytes_held = 1 << 20, .patience = milliseconds(100)};
  std::map<uint64_t, SignedBlockPtr> blocks_;
  SteadyTime now_{};
};

TEST_F(RangePlanTest, BatchesGoToSeveralPeersAndComeOutInOrder) {
  RangePlan plan(1, 12, std::nullopt, options_);
  const std::vector<RangePlan::Ask> asks = Next(plan, {PeerAt(1), PeerAt(2)});
  ASSERT_THAT(asks, SizeIs(3));
  EXPECT_EQ(asks[0].peer, 1u);
  EXPECT_EQ(asks[2].peer, 2u);
  EXPECT_EQ(asks[2].first_slot, 11u);
  EXPECT_EQ(asks[2].count, 2u);
  EXPECT_TRUE(plan.Answered(2, 11, Range(11, 2)).ok());
  EXPECT_EQ(plan.Take(), std::nullopt);
  EXPECT_TRUE(plan.Answered(1, 1, Range(1, 5)).ok());
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(plan.Take(), std::nullopt);  // until Done
  EXPECT_TRUE(plan.Answered(1, 6, Range(6, 5)).ok());
  EXPECT_EQ(plan.Take(), std::nullopt);
  plan.Done();
  EXPECT_EQ(plan.slots_done(), 5u);
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(6, 8, 9, 10));
  plan.Done();
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(11, 12));
  EXPECT_FALSE(plan.finished());
  plan.Done();
  EXPECT_EQ(plan.Take(), std::nullopt);
  EXPECT_TRUE(plan.finished());
}

TEST_F(RangePlanTest, AShortAnswerIsGoneOnWith) {
  RangePlan plan(1, 7, std::nullopt, {.batch_slots = 7});
  ASSERT_THAT(Next(plan, {PeerAt(1)}), SizeIs(1));
  EXPECT_TRUE(plan.Answered(1, 1, Range(1, 7, 3)).ok());
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(1, 2, 3));
  plan.Done();
  std::vector<RangePlan::Ask> asks = Next(plan, {PeerAt(1)});
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].first_slot, 4u);
  EXPECT_TRUE(plan.Answered(1, 4, Range(4, 4)).ok());  // up to slot 6; 7 may be empty or not have fitted
  asks = Next(plan, {PeerAt(1)});
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].first_slot, 7u);
  EXPECT_TRUE(plan.Answered(1, 7, {}).ok());
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(4, 5, 6));
  plan.Done();
  EXPECT_EQ(plan.Take(), std::nullopt);
  EXPECT_TRUE(plan.finished());
  EXPECT_THAT(plan.silent_peers(), IsEmpty());
}

TEST_F(RangePlanTest, WhatFailsGoesToAnother) {
  RangePlan plan(1, 5, std::nullopt, options_);
  Next(plan, {PeerAt(1), PeerAt(2)});
  plan.Failed(1, 1);
  std::vector<RangePlan::Ask> asks = Next(plan, {PeerAt(1), PeerAt(2)});
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].peer, 2u);
  // Not a chain.
  std::vector<SignedBlockPtr> gap = Range(1, 5);
  gap.erase(gap.begin() + 2);
  EXPECT_FALSE(plan.Answered(2, 1, gap).ok());
  EXPECT_THAT(Next(plan, {PeerAt(1), PeerAt(2)}), IsEmpty());  // all have failed: next time from the beginning
  asks = Next(plan, {PeerAt(1), PeerAt(2)});
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].peer, 1u);
  EXPECT_TRUE(plan.Answered(2, 1, Range(1, 5)).ok());  // not waited for: ignored
  EXPECT_EQ(plan.Take(), std::nullopt);
}

TEST_F(RangePlanTest, OnlyWhoClaimsToHaveItIsAsked) {
  RangePlan plan(1, 20, std::nullopt, options_);
  PeerInfo pruned = PeerAt(3);
  pruned.earliest_slot = 11;
  for (const RangePlan::Ask& ask : Next(plan, {PeerAt(1, 5), pruned})) {
    EXPECT_EQ(ask.peer, ask.first_slot <= 5 ? 1u : 3u);
    EXPECT_TRUE(ask.first_slot == 1 || ask.first_slot >= 11);
  }
  EXPECT_FALSE(plan.IsStuck({PeerAt(1, 5), pruned}));
  plan.Failed(1, 1);
  EXPECT_FALSE(plan.IsStuck({PeerAt(1, 5)}));
  EXPECT_TRUE(plan.IsStuck({pruned}));
  RangePlan alone(1, 20, 2, options_);
  for (const RangePlan::Ask& ask : Next(alone, {PeerAt(1), PeerAt(2)})) EXPECT_EQ(ask.peer, 2u);
  alone.Failed(2, 1);
  EXPECT_TRUE(alone.IsStuck({PeerAt(1)}));
}

TEST_F(RangePlanTest, ASlowPeerHoldsNothingUp) {
  RangePlan plan(1, 5, std::nullopt, options_);
  Next(plan, {PeerAt(1), PeerAt(2)});
  EXPECT_THAT(Next(plan, {PeerAt(1), PeerAt(2)}), IsEmpty());
  now_ += milliseconds(100);
  const std::vector<RangePlan::Ask> asks = Next(plan, {PeerAt(1), PeerAt(2)});
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].peer, 2u);
  EXPECT_TRUE(plan.Answered(2, 1, Range(1, 5)).ok());
  EXPECT_TRUE(plan.Answered(1, 1, Range(1, 5)).ok());
  EXPECT_THAT(plan.Take()->blocks, SizeIs(5));
  plan.Done();
  EXPECT_EQ(plan.Take(), std::nullopt);
  EXPECT_TRUE(plan.finished());
}

TEST_F(RangePlanTest, WhatIsNoGoodIsFetchedAgainFromOthers) {
  RangePlan plan(1, 10, std::nullopt, options_);
  Next(plan, {PeerAt(1)});
  EXPECT_TRUE(plan.Answered(1, 1, Range(1, 5)).ok());
  EXPECT_TRUE(plan.Answered(1, 6, Range(6, 5)).ok());
  EXPECT_THAT(SlotsOf(plan.Take()), ElementsAre(1, 2, 3, 4, 5));
  plan.Refetch();
  EXPECT_EQ(plan.Take(), std::nullopt);
  const std::vector<RangePlan::Ask> asks = Next(plan, {PeerAt(1), PeerAt(2)});
  ASSERT_THAT(asks, SizeIs(2));
  EXPECT_EQ(asks[0].peer, 2u);
  EXPECT_EQ(asks[0].first_slot, 1u);
  EXPECT_EQ(asks[1].peer, 2u);
  EXPECT_EQ(asks[1].first_slot, 6u);
}

TEST_F(RangePlanTest, HoldsABoundedNumberOfBytes) {
  options_.max_bytes_held = 1;
  RangePlan plan(1, 40, std::nullopt, options_);
  const std::vector<PeerInfo> peers{PeerAt(1), PeerAt(2), PeerAt(3)};
  ASSERT_THAT(Next(plan, peers), SizeIs(4));
  EXPECT_TRUE(plan.Answered(1, 6, Range(6, 5)).ok());
  EXPECT_EQ(plan.blocks_held(), Range(6, 5).size());
  EXPECT_GT(plan.bytes_held(), 0u);
  plan.Failed(1, 1);
  plan.Failed(2, 11);
  const std::vector<RangePlan::Ask> asks = Next(plan, peers);
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].first_slot, 1u);
}

// Peers that fail, die, answer in part or not at all, by chance: in the end every block came out once, in order.
TEST_F(RangePlanTest, EveryBlockComesOutOnceInOrder) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    RangePlan plan(1, kSlots, std::nullopt, options_);
    std::vector<RangePlan::Ask> open;
    std::vector<uint64_t> got;
    int steps = 0;
    while (!plan.finished() && ++steps < 10'000) {
      std::vector<PeerInfo> peers;
      for (uint64_t id = 1; id <= 3; ++id) {
        if (id == 1 || random() % 4 != 0) peers.push_back(PeerAt(id));
      }
      for (const RangePlan::Ask& ask : Next(plan, peers)) open.push_back(ask);
      if (!open.empty()) {
        const size_t index = random() % open.size();
        const RangePlan::Ask ask = open[index];
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
        if (random() % 3 == 0) {
          plan.Failed(ask.peer, ask.first_slot);
        } else {
          ASSERT_TRUE(plan.Answered(ask.peer, ask.first_slot, Range(ask.first_slot, ask.count, 1 + random() % 5)).ok());
        }
      }
      now_ += milliseconds(random() % 60);
      const std::optional<RangePlan::Ready> ready = plan.Take();
      if (!ready.has_value()) continue;
      if (random() % 5 == 0) {
        plan.Refetch();
      } else {
        for (const uint64_t slot : SlotsOf(ready)) got.push_back(slot);
        plan.Done();
      }
    }
    std::vector<uint64_t> expected;
    for (const auto& [slot, block] : blocks_) expected.push_back(slot);
    ASSERT_EQ(got, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace lean::beacon
