#include "validator_client/known_blocks.h"

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"

namespace lean::validator {
namespace {

Checkpoint BlockAt(uint64_t slot) {
  Checkpoint block{FakeRoot(0x66), slot};
  block.root.data[0] = static_cast<uint8_t>(slot >> 8);
  block.root.data[1] = static_cast<uint8_t>(slot);
  return block;
}

TEST(KnownBlocks, KnowsABlockByItsRootAndItsSlot) {
  KnownBlocks known;
  EXPECT_EQ(known.newest_slot(), 0);
  EXPECT_FALSE(known.Contains(BlockAt(7)));
  EXPECT_EQ(known.SlotOf(BlockAt(7).root), std::nullopt);
  known.Add(BlockAt(7));
  EXPECT_TRUE(known.Contains(BlockAt(7)));
  EXPECT_TRUE(known.Contains(BlockAt(7).root));
  EXPECT_FALSE(known.Contains(Checkpoint{BlockAt(7).root, 8})) << "one block, one slot";
  EXPECT_EQ(known.SlotOf(BlockAt(7).root), 7);
}

TEST(KnownBlocks, TheFirstSlotOfABlockStays) {
  KnownBlocks known;
  known.Add(BlockAt(7));
  known.Add({BlockAt(7).root, 900});
  known.AddUnconfirmed({BlockAt(7).root, 901});
  EXPECT_EQ(known.SlotOf(BlockAt(7).root), 7);
  EXPECT_EQ(known.newest_slot(), 7);
  EXPECT_EQ(known.newest_unconfirmed(), std::nullopt);
}

TEST(KnownBlocks, KeepsTheNewest) {
  KnownBlocks known;
  const uint64_t last = KnownBlocks::kMaxBlocks + 10;
  for (uint64_t slot = last; slot > 0; --slot) known.Add(BlockAt(slot));
  EXPECT_TRUE(known.Contains(BlockAt(last)));
  EXPECT_TRUE(known.Contains(BlockAt(11)));
  EXPECT_FALSE(known.Contains(BlockAt(10)));
  EXPECT_EQ(known.newest_slot(), last);
}

TEST(KnownBlocks, ForgetsWhatOneAloneHasNamed) {
  KnownBlocks known;
  known.Add(BlockAt(7));
  known.AddUnconfirmed(BlockAt(9));
  known.AddUnconfirmed(BlockAt(8));
  EXPECT_TRUE(known.Contains(BlockAt(9)));
  EXPECT_EQ(known.newest_unconfirmed(), 9);
  EXPECT_EQ(known.newest_slot(), 9);
  known.Add(BlockAt(8));  // another one has it, too
  known.ForgetUnconfirmed();
  EXPECT_FALSE(known.Contains(BlockAt(9).root));
  EXPECT_TRUE(known.Contains(BlockAt(8)));
  EXPECT_EQ(known.newest_slot(), 8);
  EXPECT_EQ(known.newest_unconfirmed(), std::nullopt);
}

TEST(KnownBlocks, WhatTwoSayOfASlotCountsMoreThanWhatOneSaid) {
  KnownBlocks known;
  known.AddUnconfirmed({BlockAt(7).root, 900});
  known.Add(BlockAt(7));
  EXPECT_EQ(known.SlotOf(BlockAt(7).root), 7);
  EXPECT_EQ(known.newest_slot(), 7);
  known.ForgetUnconfirmed();
  EXPECT_TRUE(known.Contains(BlockAt(7)));
}

TEST(KnownBlocks, TheUnconfirmedAreBoundedWithTheOthers) {
  KnownBlocks known;
  for (uint64_t slot = 1; slot <= 2 * KnownBlocks::kMaxBlocks; ++slot) known.AddUnconfirmed(BlockAt(slot));
  EXPECT_FALSE(known.Contains(BlockAt(KnownBlocks::kMaxBlocks)));
  known.AddUnconfirmed(BlockAt(3));  // older than all that are kept
  EXPECT_FALSE(known.Contains(BlockAt(3)));
  EXPECT_EQ(known.newest_unconfirmed(), 2 * KnownBlocks::kMaxBlocks);
  known.ForgetUnconfirmed();
  EXPECT_EQ(known.newest_slot(), 0);
}

}  // namespace
}  // namespace lean::validator
