#include "validator_client/block_witnesses.h"

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"

namespace lean::validator {
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
  EXPECT_FALSE(witnesses_.BorneOut(0, kHead));
  EXPECT_FALSE(witnesses_.BorneOut(0, kHead.root));
  EXPECT_TRUE(witnesses_.BorneOut(1, kHead)) << "beacon 0 knows it";
  witnesses_.Knows(2, kHead);
  EXPECT_TRUE(witnesses_.BorneOut(0, kHead));
}

TEST_F(BlockWitnessesTest, WhatTheClientKnowsNeedsNoBeacon) {
  known_.Add(kHead);
  EXPECT_TRUE(witnesses_.BorneOut(0, kHead));
  EXPECT_TRUE(witnesses_.BorneOut(0, kHead.root));
  witnesses_.Lacks(1, kHead.root);
  EXPECT_EQ(witnesses_.Denials(0, kHead), 0);
}

TEST_F(BlockWitnessesTest, AnotherSlotBearsOutNothingAndContradicts) {
  witnesses_.Knows(1, {kHead.root, kHead.slot - 1});
  EXPECT_FALSE(witnesses_.BorneOut(0, kHead));
  EXPECT_TRUE(witnesses_.BorneOut(0, kHead.root)) << "of a parent no slot is said";
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
  EXPECT_FALSE(witnesses_.BorneOut(vote)) << "its head is its own";
  witnesses_.Lacks(1, kHead.root);
  witnesses_.Lacks(2, kHead.root);
  EXPECT_EQ(witnesses_.Denials(vote), 2);
  witnesses_.Knows(2, kHead);
  EXPECT_TRUE(witnesses_.BorneOut(vote));
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
