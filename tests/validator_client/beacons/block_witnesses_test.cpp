#include "validator_client/beacons/block_witnesses.h"

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

namespace {

const Checkpoint kHead{FakeRoot(3), 9};
const Checkpoint kTarget{FakeRoot(2), 8};
const Checkpoint kSource{FakeRoot(1), 7};

VoteCandidate VoteBy(size_t beacon, const Checkpoint& head = kHead) { return {beacon, {9, head, kTarget, kSource}}; }

TEST(AgreedVote, NeedsTwoAlike) {
  const Checkpoint other{FakeRoot(4), 9};
  EXPECT_EQ(AgreedVote({}), std::nullopt);
  EXPECT_EQ(AgreedVote({VoteBy(0)}), std::nullopt);
  EXPECT_EQ(AgreedVote({VoteBy(0), VoteBy(1, other)}), std::nullopt);
  EXPECT_EQ(AgreedVote({VoteBy(0), VoteBy(1, other), VoteBy(2, other)}), 1u);
  EXPECT_EQ(AgreedVote({VoteBy(0), VoteBy(1, other), VoteBy(2, other), VoteBy(3)}), 0u) << "the better beacon's";
}

class BlockWitnessesTest : public ::testing::Test {
 protected:
  KnownBlocks known_;
  BlockWitnesses witnesses_{known_};
};

TEST_F(BlockWitnessesTest, NobodyBearsOutItsOwnWord) {
  witnesses_.Knows(0, kHead);
  EXPECT_FALSE(witnesses_.IsCorroborated(0, kHead));
  EXPECT_FALSE(witnesses_.IsCorroborated(0, kHead.root));
  EXPECT_TRUE(witnesses_.IsCorroborated(1, kHead)) << "beacon 0 knows it";
  witnesses_.Knows(2, kHead);
  EXPECT_TRUE(witnesses_.IsCorroborated(0, kHead));
}

TEST_F(BlockWitnessesTest, WhatTheClientKnowsNeedsNoBeacon) {
  known_.Add(kHead);
  EXPECT_TRUE(witnesses_.IsCorroborated(0, kHead));
  EXPECT_TRUE(witnesses_.IsCorroborated(0, kHead.root));
  witnesses_.Lacks(1, kHead.root);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 0);
}

TEST_F(BlockWitnessesTest, AnotherSlotBearsOutNothingAndContradicts) {
  witnesses_.Knows(1, {kHead.root, kHead.slot - 1});
  EXPECT_FALSE(witnesses_.IsCorroborated(0, kHead));
  EXPECT_TRUE(witnesses_.IsCorroborated(0, kHead.root)) << "of a parent no slot is said";
  EXPECT_EQ(witnesses_.Denials(0, kHead), 1);
  known_.Add({kHead.root, kHead.slot - 1});
  EXPECT_EQ(witnesses_.Denials(0, kHead), 2) << "the client's own word, too";
}

TEST_F(BlockWitnessesTest, CountsTheOthersThatLackABlock) {
  witnesses_.Knows(0, kHead);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 0);
  witnesses_.Lacks(0, kHead.root);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 0) << "not its own teller";
  witnesses_.Lacks(1, kHead.root);
  witnesses_.Lacks(1, kHead.root);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 1);
  EXPECT_EQ(witnesses_.Denials(0, kHead.root), 1);
  witnesses_.Lacks(2, kHead.root);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 2);
  witnesses_.Knows(3, kHead);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 0) << "one that has it outweighs all that do not";
}

TEST_F(BlockWitnessesTest, AVoteIsAsGoodAsTheWorstOfItsBlocks) {
  const VoteCandidate vote = VoteBy(0);
  witnesses_.Built(vote);
  witnesses_.Built(VoteBy(1, {FakeRoot(4), 9}));
  EXPECT_FALSE(witnesses_.IsCorroborated(vote)) << "its head is its own";
  witnesses_.Lacks(1, kHead.root);
  witnesses_.Lacks(2, kHead.root);
  EXPECT_EQ(witnesses_.Denials(vote), 2);
  witnesses_.Knows(2, kHead);
  EXPECT_TRUE(witnesses_.IsCorroborated(vote));
  EXPECT_EQ(witnesses_.Denials(vote), 0);
}

TEST_F(BlockWitnessesTest, TellsWhoHasSpokenOfABlock) {
  EXPECT_FALSE(witnesses_.HasSpoken(0, kHead.root));
  witnesses_.Knows(0, kHead);
  witnesses_.Lacks(1, kHead.root);
  EXPECT_TRUE(witnesses_.HasSpoken(0, kHead.root));
  EXPECT_TRUE(witnesses_.HasSpoken(1, kHead.root));
  EXPECT_FALSE(witnesses_.HasSpoken(2, kHead.root));
  EXPECT_FALSE(witnesses_.HasSpoken(0, kTarget.root));
}

}  // namespace

}  // namespace lean::validator
